import type { Database } from '@parley/database';
import type { Message } from '@parley/protocol';
import type { Kysely } from 'kysely';
import type { Entry, Hole } from '../../delivery/room-stream.ts';
import type { Standing, Store } from '../../delivery/ports.ts';
import { changesInSpans } from './changes.sql.ts';
import { findHeads, messagesInSpans } from './messages.sql.ts';
import { toMessage } from './view.ts';

/** A committed message as the streams carry it. */
export function toEntry(message: Message): Entry {
  return { log: 'message', number: message.seq, seq: message.seq, id: message.id, payload: message };
}

/** A committed change as the streams carry it; the id is that of the change. */
export function toChangeEntry(message: Message, changeId: string): Entry {
  return { log: 'change', number: message.rev ?? 0, seq: message.seq, id: changeId, payload: message };
}

/** PostgreSQL as the streams see it: one query for any number of rooms. */
export function createStore(db: Kysely<Database>): Store {
  return {
    async heads(roomIds) {
      const rows = await findHeads(db, roomIds);
      return new Map(
        rows.map((row): [string, Standing] => [
          row.id,
          { seq: row.head_seq, rev: row.head_rev, membersRev: row.members_rev },
        ]),
      );
    },
    async fill(holes: readonly Hole[], limit) {
      const { message: inMessages = [], change: inChanges = [] } = Object.groupBy(holes, (hole) => hole.log);
      const [messages, changes] = await Promise.all([
        messagesInSpans(db, inMessages, limit),
        changesInSpans(db, inChanges, limit),
      ]);
      const entries = [
        ...messages.map((row) => toEntry(toMessage(row))),
        ...changes.map((row) => toChangeEntry(toMessage(row), row.change_id)),
      ];
      return Map.groupBy(entries, (entry) => (entry.payload as Message).roomId);
    },
  };
}
