// A claim is what one gateway says: "this user is connected here", "this user hears the room here". Each script touches
// one hash slot. Whoever changes a claim learns by the same script whether anybody can see the change.

/**
 * KEYS[1]: the user's connections (gateway id -> sockets there). ARGV = gateway id, most sockets (-1: any number).
 * Counts one socket more. Returns -1 when the user has too many, 1 when the user had no claim before, else 0.
 */
export const ADMIT = `
local counts = redis.call('HVALS', KEYS[1])
local sum = 0
for _, count in ipairs(counts) do sum = sum + count end
local most = tonumber(ARGV[2])
if most >= 0 and sum >= most then return -1 end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
return #counts == 0 and 1 or 0
`;

/**
 * KEYS[1]: the user's connections. ARGV = gateway id, sockets there, or '' to take the claim back.
 * Returns 1 when that made the user appear or left the user without any claim, else 0.
 */
export const SETTLE = `
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return redis.call('EXISTS', KEYS[1]) == 0 and 1 or 0
end
local before = redis.call('EXISTS', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return before == 0 and 1 or 0
`;

/**
 * KEYS[1]: the hearers of a room (user id -> ids of the gateways where, with spaces between).
 * ARGV = gateway id, how many come, the users that come, the users that go.
 * Returns when it happened in microseconds of Redis's clock, which orders what several gateways say, those who heard the
 * room nowhere before, those who hear it nowhere now, and those who go but heard it nowhere before either.
 */
export const HEAR = `
local time = redis.call('TIME')
local gateway = ARGV[1]
local firstGoing = 3 + ARGV[2]
local came, went, absent = {}, {}, {}
for i = 3, #ARGV do
  local user = ARGV[i]
  local at = redis.call('HGET', KEYS[1], user)
  if i < firstGoing then
    if not at then
      came[#came + 1] = user
      redis.call('HSET', KEYS[1], user, gateway)
    elseif not string.find(at, gateway, 1, true) then
      redis.call('HSET', KEYS[1], user, at .. ' ' .. gateway)
    end
  elseif at then
    local left = {}
    for other in string.gmatch(at, '%S+') do
      if other ~= gateway then left[#left + 1] = other end
    end
    if #left > 0 then
      redis.call('HSET', KEYS[1], user, table.concat(left, ' '))
    else
      went[#went + 1] = user
      redis.call('HDEL', KEYS[1], user)
    end
  else
    absent[#absent + 1] = user
  end
end
return { string.format('%.0f', time[1] * 1000000 + time[2]), came, went, absent }
`;
