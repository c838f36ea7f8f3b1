import type { Database } from '@parley/database';
import type { User } from '@parley/protocol';
import type { Kysely } from 'kysely';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { RETRY_STORE_MS } from '../../platform/failures.ts';
import type { Identity } from '../../platform/identity.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { accessRoom } from '../rooms/access.ts';
import { cutPage, decodeCursor } from '../rooms/cursor.ts';
import { toUser } from '../users/view.ts';
import { ReadWriter } from './read-writer.ts';
import { findReadable, listReaders, markRead } from './receipts.sql.ts';

const USER_ID = /^[A-Za-z0-9_.:@-]{1,128}$/;

/** Commits readings to PostgreSQL. */
export function createReadWriter(db: Kysely<Database>): ReadWriter {
  return new ReadWriter({
    write: async (readings) => {
      const rows = await markRead(db, readings);
      return rows.map((row) => ({
        roomId: row.room_id,
        userId: row.user_id,
        lastReadSeq: row.last_read_seq,
        headSeq: row.head_seq,
        hasMoved: row.has_moved,
        isHeld: row.is_held,
      }));
    },
    overflow: () => new ChatError('UNAVAILABLE', { retryAfterMs: RETRY_STORE_MS }),
  });
}

/**
 * Marks the room as read up to a message, or up to the head when that is less. What has moved is told, but to the
 * socket that asked.
 *
 * @throws ChatError `NOT_A_MEMBER`, `NOT_FOUND`
 */
export async function readUpTo(
  ctx: Context,
  actor: Identity,
  { roomId, seq }: { roomId: string; seq: number },
  from: ChatSocket,
): Promise<{ lastReadSeq: number; unread: number }> {
  const userId = actor.user.id;
  const marked = await ctx.readWriter.mark({ roomId, userId, seq });
  if (!marked) {
    await accessRoom(ctx, actor, { roomId, to: 'take part' });
    throw new ChatError('NOT_A_MEMBER'); // became one only now: the next try will pass
  }
  const { lastReadSeq, headSeq, hasMoved } = marked;
  if (hasMoved) ctx.readNews.moved({ roomId, userId, seq: lastReadSeq }, from.id);
  return { lastReadSeq, unread: Math.max(0, headSeq - lastReadSeq) };
}

/** Who has read a message, by user id. @throws ChatError `NOT_A_MEMBER`, `NOT_FOUND` (also for no such message) */
export async function getReaders(
  ctx: Context,
  actor: Identity,
  { roomId, seq, cursor, limit }: { roomId: string; seq: number; cursor?: string; limit: number },
): Promise<{ readers: User[]; nextCursor?: string }> {
  await accessRoom(ctx, actor, { roomId, to: 'take part' });
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, [USER_ID]);
  const message = await findReadable(ctx.db, roomId, seq);
  if (!message) throw new ChatError('NOT_FOUND', { message: 'There is no message with this seq' });
  const rows = await listReaders(ctx.db, { roomId, seq, message }, { after, limit: limit + 1 });
  const { page, next } = cutPage(rows, limit, (row) => [row.id]);
  const online = await ctx.presence.onlineIn(
    roomId,
    page.map((row) => row.id),
  );
  return {
    readers: page.map((row) => toUser(row, online.has(row.id))),
    ...next,
  };
}
