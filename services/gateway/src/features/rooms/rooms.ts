import { isUniqueViolation } from '@parley/database';
import { roomNameKey, type Room } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { accessRoom } from './access.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { insertRoom, listRooms } from './rooms.sql.ts';
import { toRooms } from './view.ts';

export interface NewRoom {
  name: string;
  kind: 'public' | 'private';
  topic?: string;
}

/** @throws ChatError `CONFLICT` when a public room has that name, `RATE_LIMITED` */
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
      if (isUniqueViolation(error)) throw new ChatError('CONFLICT', { message: 'A room has this name' });
      throw error;
    }
  });
  return getRoom(ctx, actor, id);
}

export async function getRoom(ctx: Context, actor: Identity, roomId: string): Promise<{ room: Room }> {
  const row = await accessRoom(ctx, actor, { roomId, to: 'see' });
  const [room] = await toRooms(ctx, [row]);
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
  const page = rows.slice(0, input.limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return { rooms: await toRooms(ctx, page), ...(last && { nextCursor: encodeCursor(String(last.activity), last.id) }) };
}
