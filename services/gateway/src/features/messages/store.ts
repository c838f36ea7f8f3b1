import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';
import type { Entry, Hole } from '../../delivery/room-stream.ts';
import type { Standing, Store } from '../../delivery/ports.ts';
import { changesInSpans } from './changes.sql.ts';
import { findHeads, messagesInSpans } from './messages.sql.ts';
import { toMessage } from './view.ts';
import { toChangeEntry, toEntry } from './wire.ts';

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
      const filled = new Map<string, Entry[]>(holes.map(({ roomId }) => [roomId, []]));
      for (const row of messages) filled.get(row.room_id)?.push(toEntry(toMessage(row)));
      for (const row of changes) filled.get(row.room_id)?.push(toChangeEntry(toMessage(row), row.change_id));
      return filled;
    },
  };
}
