/**
 * Both scripts take KEYS = the user's connections, the online set.
 *
 * A connection is a lease: it counts until `now + lease` and is renewed by its gateway. A gateway that dies stops
 * renewing, so its connections end by themselves and no other replica has to know of it. The clock is Redis's own.
 */

/**
 * ARGV = connection id, user id, lease ms, most connections (-1: any number).
 * Returns 1 when admitted, 0 when the user has too many. A connection that is there already is renewed.
 */
export const ADMIT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local most = tonumber(ARGV[4])
if most >= 0 and not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= most then
  return 0
end
local ends = now + tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], ends, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ends, ARGV[2])
return 1
`;

/** ARGV = connection id, user id. Returns how many connections the user still has. */
export const RELEASE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local left = redis.call('ZCARD', KEYS[1])
if left == 0 then redis.call('ZREM', KEYS[2], ARGV[2]) end
return left
`;
