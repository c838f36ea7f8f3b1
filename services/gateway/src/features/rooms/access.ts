import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { findRoom, type RoomRow } from './rooms.sql.ts';

/** What for: `see` is open to all for a public room, `take part` is for members. */
export type Purpose = 'see' | 'take part';

/**
 * The only way to obtain a room on somebody's behalf. A private or direct room looks to outsiders as if it did not
 * exist.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`
 */
export async function accessRoom(
  ctx: Context,
  actor: Identity,
  { roomId, to }: { roomId: string; to: Purpose },
): Promise<RoomRow> {
  const room = await findRoom(ctx.db, roomId, actor.user.id);
  if (!room || (room.kind !== 'public' && room.my_role === null)) throw new ChatError('NOT_FOUND');
  if (to === 'take part' && room.my_role === null) throw new ChatError('NOT_A_MEMBER');
  return room;
}
