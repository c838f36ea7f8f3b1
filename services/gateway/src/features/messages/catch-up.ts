import type { Message, RoomCursor } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { readWithinBudget } from './budget.ts';
import { changedInSpans, messagesBefore, messagesInSpans } from './messages.sql.ts';
import { toMessage } from './view.ts';

/** What a catch-up of too many messages falls back to. */
const NEWEST_PAGE = 50;

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
 * For each room exactly what came after its cursor, up to its head: messages by `seq`, and by `rev` the changes to what
 * one has. Beyond `CATCHUP_MAX` of either the answer is `truncated`: too many messages give the newest page instead, too
 * many changes give none, since all that one has may be outdated. So is a room for which the answer has no space left.
 * The number of queries does not grow with the number of rooms, only with what they bring.
 *
 * @returns in the order of the rooms. They have to be accessible: nothing is checked here.
 */
export async function catchUp(
  ctx: Context,
  rooms: readonly Head[],
  cursors: ReadonlyMap<string, RoomCursor>,
): Promise<CaughtUp[]> {
  const most = ctx.config.limits.CATCHUP_MAX;
  const wanted = rooms.map((room) => {
    const { seq, rev } = cursors.get(room.id) ?? { seq: 0 };
    const isTooLong = room.head_seq - seq > most;
    return { room, seq, rev, isTooLong, after: isTooLong ? Math.max(0, room.head_seq - NEWEST_PAGE) : seq };
  });
  const messages = await readWithinBudget(
    wanted.flatMap(({ room, after }) =>
      after < room.head_seq ? { roomId: room.id, after, upTo: room.head_seq, rows: room.head_seq - after } : [],
    ),
    (spans) => messagesInSpans(ctx.db, spans, Math.max(most, NEWEST_PAGE)),
  );
  const changes = await readWithinBudget(
    wanted.flatMap(({ room, seq, rev }) =>
      rev !== undefined && rev < room.head_rev
        ? { roomId: room.id, afterRev: rev, upToSeq: seq, rows: Math.min(room.head_rev - rev, most + 1) }
        : [],
    ),
    (spans) => changedInSpans(ctx.db, spans, most + 1),
  );
  return wanted.map(({ room, rev, isTooLong }) => {
    const changed = changes.rows.get(room.id) ?? [];
    const isTooMuchChanged = changed.length > most || changes.leftOut.has(room.id);
    return {
      messages: (messages.rows.get(room.id) ?? []).map(toMessage),
      ...(rev !== undefined && { changed: isTooMuchChanged ? [] : changed.map(toMessage) }),
      truncated: isTooLong || isTooMuchChanged || messages.leftOut.has(room.id),
    };
  });
}
