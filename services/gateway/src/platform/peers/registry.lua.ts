// KEYS[1]: the living, scored by their last beat; KEYS[2]: those that have left, scored by the end of their grace.

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** ARGV = id. Returns 1 when the gateway was known. */
export const BEAT = `${NOW}
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return known and 1 or 0
`;

/** ARGV = ms after which one counts as dead. */
export const ALIVE = `${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now - ARGV[1]), '+inf')
`;

/** ARGV = ms after which one counts as dead. */
export const DEAD = `${NOW}
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do dead[#dead + 1] = id end
return dead
`;

/** ARGV = id, ms after which one counts as dead. */
export const BURY = `${NOW}
local beat = redis.call('ZSCORE', KEYS[1], ARGV[1])
if beat and tonumber(beat) > now - ARGV[2] then return end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
`;

/** ARGV = id, grace in ms. */
export const LEAVE = `${NOW}
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
`;
