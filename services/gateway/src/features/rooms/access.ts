import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { findRoom, findRooms, type RoomRow } from './rooms.sql.ts';

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
  return allowed(await findRoom(ctx.db, roomId, actor.user.id), to);
}

/** The same for many rooms with one query: for each the room, or why not. */
export async function accessRooms(
  ctx: Context,
  actor: Identity,
  { roomIds, to }: { roomIds: readonly string[]; to: Purpose },
): Promise<Map<string, RoomRow | ChatError>> {
  const rows = await findRooms(ctx.db, roomIds, actor.user.id);
  const found = new Map(rows.map((row) => [row.id, row]));
  const decide = (roomId: string): RoomRow | ChatError => {
    try {
      return allowed(found.get(roomId), to);
    } catch (error) {
      return error as ChatError;
    }
  };
  return new Map(roomIds.map((roomId) => [roomId, decide(roomId)]));
}

function allowed(room: RoomRow | undefined, to: Purpose): RoomRow {
  if (!room || (room.kind !== 'public' && room.my_role === null)) throw new ChatError('NOT_FOUND');
  if (to === 'take part' && room.my_role === null) throw new ChatError('NOT_A_MEMBER');
  return room;
}
