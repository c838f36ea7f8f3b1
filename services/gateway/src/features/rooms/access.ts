import type { Database } from '@parley/database';
import type { Kysely, Transaction } from 'kysely';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { Gathered } from '../../platform/gathered.ts';
import type { Identity } from '../../platform/identity.ts';
import {
  findRole,
  findRoom,
  findRooms,
  findRoomsWithMembers,
  lockRoom,
  type LockedRoomRow,
  type RoomQuestion,
  type RoomRow,
  type RoomWithMembers,
} from './rooms.sql.ts';

/** What for: `see` is open to all for a public room, `take part` is for members. */
export type Purpose = 'see' | 'take part';

/** A room whose row is locked until the transaction ends, and what the actor is in it. */
export interface LockedRoom extends LockedRoomRow {
  my_role: RoomRow['my_role'];
}

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

/** Rooms for those who join, with the first members by user id: what is asked for at the same time is one query. */
export type RoomPages = Gathered<RoomQuestion, RoomWithMembers | undefined>;

/** @param members how many */
export function gatherRoomPages(db: Kysely<Database>, members: number): RoomPages {
  return new Gathered((questions) => findRoomsWithMembers(db, questions, members));
}

/** The same as `accessRoom` with the first members of the room. */
export async function accessRoomPage(
  ctx: Context,
  actor: Identity,
  { roomId, to }: { roomId: string; to: Purpose },
): Promise<RoomWithMembers> {
  const page = await ctx.roomPages.ask({ roomId, viewerId: actor.user.id });
  return { room: allowed(page?.room, to), members: page?.members ?? [] };
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

/**
 * The same for a member who changes the room or its members: takes the lock that orders it with the sends, then looks who the
 * actor is, so that a membership that has just ended counts no more. Ask `accessRoom` before the transaction: outsiders
 * should not be able to hold up a room's senders.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`
 */
export async function accessRoomLocked(
  trx: Transaction<Database>,
  actor: Identity,
  roomId: string,
): Promise<LockedRoom> {
  const room = await lockRoom(trx, roomId);
  const role = room && (await findRole(trx, roomId, actor.user.id));
  return allowed(room && { ...room, my_role: role ?? null }, 'take part');
}

function allowed<Room extends Pick<RoomRow, 'kind' | 'my_role'>>(room: Room | undefined, to: Purpose): Room {
  if (!room || (room.kind !== 'public' && room.my_role === null)) throw new ChatError('NOT_FOUND');
  if (to === 'take part' && room.my_role === null) throw new ChatError('NOT_A_MEMBER');
  return room;
}
