/** Up to this limit a window is exact, beyond it compact. */
export const EXACT_MAX = 100;
/** Into so many parts a compact window divides its time. */
export const COMPACT_PARTS = 16;

/**
 * Sliding windows, for the scripts that begin with this. A window is a list.
 *
 * Exact: the times (ms) of the latest `limit` events. It has a place when the oldest of them is older than the window;
 * two commands an event, whatever the limit.
 *
 * Compact: pairs of the number of a part of the time and a count, at most 17 of them. A part leaves the window as a whole,
 * when its latest moment has left it. So never more than `limit` pass in any window, and a place becomes free at most a
 * sixteenth of the window late.
 *
 * The clock is Redis's own. Whoever is refused takes no place.
 */
export const WINDOWS = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Milliseconds until the window has a place; 0: it has one now.
local function wait_of(key, limit, window)
  if limit <= ${EXACT_MAX} then
    local oldest = redis.call('LINDEX', key, -limit)
    return oldest and math.max(0, oldest + window - now) or 0
  end
  local step = math.ceil(window / ${COMPACT_PARTS})
  local parts = redis.call('LRANGE', key, 0, -1)
  local gone, total = 0, 0
  for i = 1, #parts, 2 do
    if (parts[i] + 1) * step - 1 + window <= now then gone = gone + 2 else total = total + parts[i + 1] end
  end
  if gone > 0 then redis.call('LPOP', key, gone) end
  local wait = 0
  for i = gone + 1, #parts, 2 do
    if total < limit then break end
    total = total - parts[i + 1]
    wait = (parts[i] + 1) * step - 1 + window - now
  end
  return wait
end

-- Puts events into the window.
local function take(key, limit, window, count)
  if limit <= ${EXACT_MAX} then
    local length = 0
    for _ = 1, math.min(count, limit) do length = redis.call('RPUSH', key, now) end
    if length > limit then redis.call('LTRIM', key, -limit, -1) end
    redis.call('PEXPIRE', key, window)
    return
  end
  local step = math.ceil(window / ${COMPACT_PARTS})
  local part = math.floor(now / step)
  local newest = redis.call('LRANGE', key, -2, -1)
  if newest[1] and tonumber(newest[1]) >= part then
    redis.call('LSET', key, -1, newest[2] + count)
  else
    redis.call('RPUSH', key, part, count)
  end
  redis.call('PEXPIRE', key, window + step)
end
`;

/**
 * KEYS = the window, ARGV = limit, window in ms. Returns `{1, time}` when the event has got a place, `{0, ms until there
 * is one}` when not.
 */
export const TAKE = `${WINDOWS}
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local wait = wait_of(KEYS[1], limit, window)
if wait > 0 then return {0, wait} end
take(KEYS[1], limit, window, 1)
return {1, now}
`;

/** KEYS = the window, ARGV = limit, window in ms, time that TAKE has returned. */
export const GIVE_BACK = `
local limit, window, time = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if limit <= ${EXACT_MAX} then
  redis.call('LREM', KEYS[1], -1, ARGV[3])
  return
end
local part = math.floor(time / math.ceil(window / ${COMPACT_PARTS}))
local parts = redis.call('LRANGE', KEYS[1], 0, -1)
for i = 1, #parts, 2 do
  if tonumber(parts[i]) == part then redis.call('LSET', KEYS[1], i, math.max(0, parts[i + 1] - 1)) end
end
`;

/**
 * KEYS = the window, ARGV = limit, window in ms, how many events. Counts them whether there is room or not, and returns how
 * long the window is full, in ms; 0: it is not.
 */
export const COUNT = `${WINDOWS}
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
take(KEYS[1], limit, window, tonumber(ARGV[3]))
return wait_of(KEYS[1], limit, window)
`;
