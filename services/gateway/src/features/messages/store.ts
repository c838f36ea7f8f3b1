import type { Database } from '@parley/database';
import type { Message } from '@parley/protocol';
import type { Kysely } from 'kysely';
import type { Entry, Head, Hole } from '../../delivery/room-stream.ts';
import type { Store } from '../../delivery/streams.ts';
import { findHeads, messagesInSpans } from './messages.sql.ts';
import { toMessage } from './view.ts';

/** A committed message as the streams carry it. */
export function toEntry(message: Message): Entry {
  return { log: 'message', number: message.seq, seq: message.seq, id: message.id, payload: message };
}

/** PostgreSQL as the streams see it: one query for any number of rooms. */
export function createStore(db: Kysely<Database>): Store {
  return {
    async heads(roomIds) {
      const rows = await findHeads(db, roomIds);
      return new Map(rows.map((row): [string, Head] => [row.id, { seq: row.head_seq, rev: row.head_rev }]));
    },
    async fill(holes: readonly Hole[], limit) {
      const rows = await messagesInSpans(
        db,
        holes.filter((hole) => hole.log === 'message'),
        limit,
      );
      return Map.groupBy(rows.map(toMessage).map(toEntry), (entry) => (entry.payload as Message).roomId);
    },
  };
}
