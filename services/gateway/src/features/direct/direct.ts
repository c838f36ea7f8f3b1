import type { Room } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { blocks } from '../blocks/blocks.ts';
import { tellAdded } from '../members/come.ts';
import { memberCame } from '../presence/status.ts';
import { getRoom } from '../rooms/rooms.ts';
import { requireUser } from '../users/users.ts';
import { directKey, findDirectRoomId, insertDirectRoom } from './direct.sql.ts';

/**
 * The direct room with another user: the same for both, every time, also when both open it at once. When it is new, all
 * devices of both are told.
 *
 * @throws ChatError `NOT_FOUND`, `VALIDATION_ERROR` for oneself, `FORBIDDEN` for a new one with who blocks the actor
 */
export async function openDirect(
  ctx: Context,
  actor: Identity,
  { userId }: { userId: string },
): Promise<{ room: Room }> {
  const { id: actorId } = actor.user;
  if (userId === actorId) {
    throw new ChatError('VALIDATION_ERROR', { details: [{ path: 'userId', message: 'is oneself' }] });
  }
  const key = directKey(actorId, userId);
  const existing = await findDirectRoomId(ctx.db, key);
  if (existing !== undefined) return getRoom(ctx, actor, existing);

  await requireUser(ctx, userId);
  if (await blocks(ctx, userId, actorId)) {
    throw new ChatError('FORBIDDEN', { message: 'This user takes no direct messages of yours' });
  }
  const id = uuidv7();
  const isNew = await ctx.db
    .transaction()
    .execute((trx) => insertDirectRoom(trx, { id, makerId: actorId, otherId: userId }));
  const roomId = isNew ? id : await findDirectRoomId(ctx.db, key);
  if (roomId === undefined) throw new ChatError('NOT_FOUND');
  if (isNew) {
    await Promise.all([memberCame(ctx, roomId, actorId), memberCame(ctx, roomId, userId)]);
    await Promise.all([tellAdded(ctx, { roomId, userId: actorId }), tellAdded(ctx, { roomId, userId })]);
  }
  return getRoom(ctx, actor, roomId);
}
