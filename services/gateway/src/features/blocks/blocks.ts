import type { UserRef } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { cutPage, decodeCursor } from '../rooms/cursor.ts';
import { requireUser } from '../users/users.ts';
import { deleteBlock, insertBlock, isBlocking, listBlocks } from './blocks.sql.ts';

const USER_ID = /^[A-Za-z0-9_.:@-]{1,128}$/;

/**
 * Refuses direct messages of a user, or takes them again. It holds from the answer on: the commit of a message looks it
 * up.
 *
 * @throws ChatError `NOT_FOUND`, `VALIDATION_ERROR` for oneself
 */
export async function setBlock(
  ctx: Context,
  actor: Identity,
  { userId, on }: { userId: string; on: boolean },
): Promise<Record<string, never>> {
  if (userId === actor.user.id) {
    throw new ChatError('VALIDATION_ERROR', { details: [{ path: 'userId', message: 'is oneself' }] });
  }
  await requireUser(ctx, userId);
  await (on ? insertBlock : deleteBlock)(ctx.db, actor.user.id, userId);
  return {};
}

/** Whether `userId` takes no direct messages of `byId`. */
export function blocks(ctx: Context, userId: string, byId: string): Promise<boolean> {
  return isBlocking(ctx.db, userId, byId);
}

export async function getBlocks(
  ctx: Context,
  actor: Identity,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<{ users: UserRef[]; nextCursor?: string }> {
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, [USER_ID]);
  const rows = await listBlocks(ctx.db, actor.user.id, { after, limit: limit + 1 });
  const { page: users, next } = cutPage(rows, limit, (row) => [row.id]);
  return { users, ...next };
}
