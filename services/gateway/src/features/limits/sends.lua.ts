import type { Rate } from '@parley/protocol';
import { WINDOWS } from '../../platform/rate-limit/windows.lua.ts';

export interface SendRates {
  /** Of a user in a room. */
  room: Rate | null;
  /** Of a user in all rooms. */
  user: Rate | null;
  /** So many refusals in a room mute there; null: nobody is muted. */
  refusals: Rate | null;
  muteForMs: number;
}

/** Of a refusal: 1 when already muted; the end of the mute, in ms since the epoch; and the waits for it, for the room's window and for the user's. */
export type SendRefusal = [wasMuted: 0 | 1, mutedUntil: number, muteMs: number, roomWaitMs: number, userWaitMs: number];

/**
 * Decides on a send in one go: it passes if the sender is not muted in the room and both windows have a place, which it then
 * takes; else it takes none, and its refusal counts in the room.
 *
 * KEYS = the window of user and room, the window of the user, the refusals of the user in the room, the mute there.
 * Returns 0 when it passes, else a `SendRefusal`. The rates are written into the script, so that a call carries only keys.
 */
export function sendScript({ room, user, refusals, muteForMs }: SendRates): string {
  const rate = (of: Rate | null): string => (of ? `${of.limit}, ${of.windowMs}` : '');
  const wait = (key: number, of: Rate | null): string => (of ? `wait_of(KEYS[${key}], ${rate(of)})` : '0');
  const take = (key: number, of: Rate | null): string => (of ? `take(KEYS[${key}], ${rate(of)}, 1)` : '');
  return `${WINDOWS}
${
  refusals
    ? `local muted_until = tonumber(redis.call('GET', KEYS[4]) or 0)
if muted_until > now then return {1, muted_until, muted_until - now, 0, 0} end`
    : ''
}
local room_wait, user_wait = ${wait(1, room)}, ${wait(2, user)}
if room_wait == 0 and user_wait == 0 then
  ${take(1, room)}
  ${take(2, user)}
  return 0
end
${
  refusals
    ? `${take(3, refusals)}
if ${wait(3, refusals)} > 0 then
  redis.call('DEL', KEYS[3])
  redis.call('SET', KEYS[4], now + ${muteForMs}, 'PX', ${muteForMs})
  return {0, now + ${muteForMs}, ${muteForMs}, room_wait, user_wait}
end`
    : ''
}
return {0, 0, 0, room_wait, user_wait}
`;
}
