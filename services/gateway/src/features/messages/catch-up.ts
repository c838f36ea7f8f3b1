import type { Message, RoomCursor } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { changedInSpans, messagesBefore, messagesInSpans, type MessageRow } from './messages.sql.ts';
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
 * many changes give none, since all that one has may be outdated. Two queries for all rooms together.
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
    const cursor = cursors.get(room.id) ?? { seq: 0 };
    return { room, cursor, isTooLong: room.head_seq - cursor.seq > most };
  });
  const [messages, changes] = await Promise.all([
    messagesInSpans(
      ctx.db,
      wanted.flatMap(({ room, cursor, isTooLong }) => {
        const after = isTooLong ? Math.max(0, room.head_seq - NEWEST_PAGE) : cursor.seq;
        return after < room.head_seq ? { roomId: room.id, after, upTo: room.head_seq } : [];
      }),
      Math.max(most, NEWEST_PAGE),
    ),
    changedInSpans(
      ctx.db,
      wanted.flatMap(({ room, cursor: { seq, rev } }) =>
        rev !== undefined && rev < room.head_rev ? { roomId: room.id, afterRev: rev, upToSeq: seq } : [],
      ),
      most + 1,
    ),
  ]);
  const messagesOf = Map.groupBy(messages, (row) => row.room_id);
  const changesOf = Map.groupBy(changes, (row) => row.room_id);
  const shown = (rows: MessageRow[] | undefined): Message[] => (rows ?? []).map(toMessage);
  return wanted.map(({ room, cursor, isTooLong }) => {
    const changed = shown(changesOf.get(room.id));
    const isTooMuchChanged = changed.length > most;
    return {
      messages: shown(messagesOf.get(room.id)),
      ...(cursor.rev !== undefined && { changed: isTooMuchChanged ? [] : changed }),
      truncated: isTooLong || isTooMuchChanged,
    };
  });
}
