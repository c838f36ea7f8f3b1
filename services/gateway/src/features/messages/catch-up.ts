import type { Message, RoomCursor } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { messagesBefore, messagesBetween, messagesChanged } from './messages.sql.ts';
import { toMessage } from './view.ts';

export interface CaughtUp {
  messages: Message[];
  changed?: Message[];
  truncated: boolean;
}

interface Head {
  id: string;
  head_seq: number;
  head_rev: number;
}

/** The newest `count` messages up to the head. The room has to be accessible: nothing is checked here. */
export async function newestPage(ctx: Context, room: Head, count: number): Promise<CaughtUp> {
  const rows = count > 0 ? await messagesBefore(ctx.db, room.id, room.head_seq + 1, count) : [];
  return { messages: rows.map(toMessage), truncated: room.head_seq > rows.length };
}

/**
 * Exactly what came after a cursor, up to the head: messages by `seq`, and by `rev` the changes to what one has. Beyond
 * `CATCHUP_MAX` of either the answer is `truncated`: too many messages give the newest page instead, too many changes
 * give none, since all that one has may be outdated.
 */
export async function catchUp(ctx: Context, room: Head, cursor: RoomCursor, pageSize: number): Promise<CaughtUp> {
  const most = ctx.config.limits.CATCHUP_MAX;
  const tooManyMessages = room.head_seq - cursor.seq > most;
  const [messages, changed] = await Promise.all([
    tooManyMessages
      ? messagesBefore(ctx.db, room.id, room.head_seq + 1, pageSize)
      : messagesBetween(ctx.db, room.id, { after: cursor.seq, upTo: room.head_seq, limit: most }),
    cursor.rev !== undefined && cursor.rev < room.head_rev
      ? messagesChanged(ctx.db, room.id, { upToSeq: cursor.seq, afterRev: cursor.rev, limit: most + 1 })
      : [],
  ]);
  const tooManyChanges = changed.length > most;
  return {
    messages: messages.map(toMessage),
    ...(cursor.rev !== undefined && { changed: tooManyChanges ? [] : changed.map(toMessage) }),
    truncated: tooManyMessages || tooManyChanges,
  };
}
