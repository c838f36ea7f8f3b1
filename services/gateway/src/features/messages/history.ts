import type { Message } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { accessRoom } from '../rooms/access.ts';
import { messagesBefore, messagesBetween, messagesWithSeqs } from './messages.sql.ts';
import { toMessage } from './view.ts';

export interface HistoryInput {
  roomId: string;
  before?: number;
  after?: number;
  around?: number;
  limit: number;
}

export interface HistoryPage {
  /** Ascending `seq`. */
  messages: Message[];
  hasMore: boolean;
}

/**
 * A page up to the head that the room had when the membership was looked up: what came later is not for who was removed
 * in between.
 *
 * @throws ChatError `NOT_A_MEMBER`, `NOT_FOUND` (also for `around` a message that is not there)
 */
export async function getHistory(ctx: Context, actor: Identity, input: HistoryInput): Promise<HistoryPage> {
  const { roomId } = input;
  const room = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  const limit = Math.min(input.limit, ctx.config.limits.HISTORY_MAX);
  if (input.around !== undefined) return pageAround(ctx, room, input.around, limit);
  if (input.after !== undefined) {
    const rows = await messagesBetween(ctx.db, roomId, {
      after: input.after,
      upTo: room.head_seq,
      limit: limit + 1,
    });
    return { messages: rows.slice(0, limit).map(toMessage), hasMore: rows.length > limit };
  }
  const before = Math.min(input.before ?? Infinity, room.head_seq + 1);
  const rows = await messagesBefore(ctx.db, roomId, before, limit + 1);
  return { messages: rows.slice(-limit).map(toMessage), hasMore: rows.length > limit };
}

/** Single messages by their `seq`. The room has to be accessible: nothing is checked here. */
export async function messagesAt(
  ctx: Context,
  roomId: string,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, Message>> {
  const rows = await messagesWithSeqs(ctx.db, roomId, [...new Set(seqs)]);
  return new Map(rows.map((row) => [row.seq, toMessage(row)]));
}

/** `seq` has no gaps, so the page's bounds are known before it is read. */
async function pageAround(
  ctx: Context,
  { id: roomId, head_seq: headSeq }: { id: string; head_seq: number },
  around: number,
  limit: number,
): Promise<HistoryPage> {
  if (around > headSeq) throw new ChatError('NOT_FOUND', { message: 'There is no message with this seq' });
  const after = Math.max(0, around - 1 - Math.floor((limit - 1) / 2));
  const rows = await messagesBetween(ctx.db, roomId, { after, upTo: headSeq, limit });
  return { messages: rows.map(toMessage), hasMore: after > 0 || after + rows.length < headSeq };
}
