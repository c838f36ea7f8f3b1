import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import type { MessageRow } from './messages.sql.ts';
import { readSpans, type RoomSpan } from './spans.sql.ts';

/** What is done to a message. */
export type Change =
  { kind: 'edit'; content: string } | { kind: 'delete' } | { kind: 'react'; emoji: string; on: boolean };

export type ChangedRow =
  | (MessageRow & { outcome: 'changed' | 'unchanged' })
  | {
      outcome: 'not_a_member' | 'not_found' | 'forbidden' | 'deleted' | 'muted' | 'too_many';
      muted_until: Date | null;
    };

/** One change in one round trip; the meaning of each outcome stands at the function (migrations). */
export async function changeMessage(
  db: Kysely<Database>,
  target: { roomId: string; seq: number; actorId: string; changeId: string },
  change: Change,
): Promise<ChangedRow> {
  const { rows } = await sql<ChangedRow>`
    select * from change_message(
      ${target.roomId}::uuid, ${target.seq}::bigint, ${target.actorId}, ${target.changeId}::uuid, ${change.kind},
      ${change.kind === 'edit' ? change.content : null}::text, ${change.kind === 'react' ? change.emoji : null}::text,
      ${change.kind === 'react' ? change.on : null}::boolean
    )`.execute(db);
  return rows[0] as ChangedRow;
}

export interface ChangeRow extends MessageRow {
  change_id: string;
}

/** Changes of many rooms with one query: of each span the first `limit`, each with the message as it was after it. */
export function changesInSpans(db: Kysely<Database>, spans: readonly RoomSpan[], limit: number): Promise<ChangeRow[]> {
  return readSpans(
    db,
    spans,
    sql`select m.id, c.id as change_id, m.room_id, m.seq, c.rev, m.sender_id, users.name as sender_name, c.content,
        m.client_msg_id, m.created_at, m.reply_to, c.edited_at, c.deleted_at, c.reactions
      from message_changes c
      join messages m on m.room_id = c.room_id and m.seq = c.seq
      join users on users.id = m.sender_id
      where c.room_id = span.room_id and c.rev > span.after and c.rev <= span.up_to
      order by c.rev limit ${limit}`,
  );
}
