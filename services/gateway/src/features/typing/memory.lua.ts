// KEYS[1]: who types in a room, scored by the end (ms, by Redis's own clock).

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** ARGV = typist, ms that it lasts. */
export const REMEMBER = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** Returns typists, each followed by the ms that are left. */
export const RECALL = `${NOW}
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES')
for index = 2, #found, 2 do found[index] = tonumber(found[index]) - now end
return found
`;
