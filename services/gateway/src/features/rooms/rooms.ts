import { isUniqueViolation } from '@parley/database';
import { roomAddedEvent, roomNameKey, type Room } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { tellUser } from '../../platform/peers/tell-user.ts';
import { memberCame } from '../presence/status.ts';
import { accessRoom } from './access.ts';
import { cutPage, decodeCursor } from './cursor.ts';
import { findRoom, insertRoom, listRooms } from './rooms.sql.ts';
import { toRooms } from './view.ts';

export interface NewRoom {
  name: string;
  kind: 'public' | 'private';
  topic?: string;
}

export const NAME_TAKEN = 'A room has this name';

/**
 * Makes a room, and tells the other devices of its maker.
 *
 * @param except the id of the socket that gets the answer
 * @throws ChatError `CONFLICT` when a public room has that name, `RATE_LIMITED`
 */
export async function createRoom(ctx: Context, actor: Identity, input: NewRoom): Promise<{ room: Room }> {
  const id = uuidv7();
  await ctx.limits.makeRoom(actor.user.id, async () => {
    try {
      await ctx.db.transaction().execute((trx) =>
        insertRoom(trx, {
          id,
          kind: input.kind,
          name: input.name,
          nameKey: roomNameKey(input.name),
          topic: input.topic || null,
          ownerId: actor.user.id,
        }),
      );
    } catch (error) {
      if (isUniqueViolation(error)) throw new ChatError('CONFLICT', { message: NAME_TAKEN });
      throw error;
    }
  });
  await memberCame(ctx, id, actor.user.id);
  const created = await getRoom(ctx, actor, id);
  tellUser(ctx, actor.user.id, roomAddedEvent, created);
  return created;
}

/** The room with the `me` and `peer` of a member; undefined when the user is none. */
export async function findRoomOfMember(ctx: Context, userId: string, roomId: string): Promise<Room | undefined> {
  const row = await findRoom(ctx.db, roomId, userId);
  if (!row || row.my_role === null) return undefined;
  const [room] = await toRooms(ctx, userId, [row]);
  return room;
}

export async function getRoom(ctx: Context, actor: Identity, roomId: string): Promise<{ room: Room }> {
  const row = await accessRoom(ctx, actor, { roomId, to: 'see' });
  const [room] = await toRooms(ctx, actor.user.id, [row]);
  return { room: room as Room };
}

export interface RoomListInput {
  scope: 'public' | 'mine';
  search?: string;
  cursor?: string;
  limit: number;
}

const MICROSECONDS = /^\d{1,16}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function getRooms(
  ctx: Context,
  actor: Identity,
  input: RoomListInput,
): Promise<{ rooms: Room[]; nextCursor?: string }> {
  const [activity, id] = input.cursor === undefined ? [] : decodeCursor(input.cursor, [MICROSECONDS, UUID]);
  const rows = await listRooms(ctx.db, {
    viewerId: actor.user.id,
    scope: input.scope,
    searchKey: input.search ? roomNameKey(input.search) : undefined,
    after: activity !== undefined && id !== undefined ? { activity: Number(activity), id } : undefined,
    limit: input.limit + 1,
  });
  const { page, next } = cutPage(rows, input.limit, (row) => [String(row.activity), row.id]);
  return { rooms: await toRooms(ctx, actor.user.id, page), ...next };
}
