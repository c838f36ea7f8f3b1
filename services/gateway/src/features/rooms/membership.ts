import { roomNameKey } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { accessRoom } from './access.ts';
import { createRoom } from './rooms.ts';
import { findPublicRoomId, insertMember, isBanned, lockRoom } from './rooms.sql.ts';

/** The public room of a name, made when asked for. @throws ChatError `NOT_FOUND` */
export async function roomIdByName(
  ctx: Context,
  actor: Identity,
  { name, create }: { name: string; create: boolean },
): Promise<string> {
  const nameKey = roomNameKey(name);
  const found = await findPublicRoomId(ctx.db, nameKey);
  if (found !== undefined) return found;
  if (!create) throw new ChatError('NOT_FOUND');
  try {
    const { room } = await createRoom(ctx, actor, { name, kind: 'public' });
    return room.id;
  } catch (error) {
    // Somebody was faster: then it is that room.
    const existing =
      error instanceof ChatError && error.code === 'CONFLICT' ? await findPublicRoomId(ctx.db, nameKey) : undefined;
    if (existing === undefined) throw error;
    return existing;
  }
}

/** Nothing happens for a member. @throws ChatError `NOT_FOUND`, `FORBIDDEN` when banned */
export async function becomeMember(ctx: Context, actor: Identity, roomId: string): Promise<void> {
  const room = await accessRoom(ctx, actor, { roomId, to: 'see' });
  if (room.my_role !== null) return;
  await ctx.db.transaction().execute(async (trx) => {
    const locked = await lockRoom(trx, roomId);
    if (!locked) throw new ChatError('NOT_FOUND');
    if (await isBanned(trx, roomId, actor.user.id))
      throw new ChatError('FORBIDDEN', { message: 'Banned from this room' });
    await insertMember(trx, { roomId, userId: actor.user.id, lastReadSeq: locked.head_seq });
  });
}
