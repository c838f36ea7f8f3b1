import type { AppendedRow, Database } from '@parley/database';
import type { Reaction } from '@parley/protocol';
import { sql, type Kysely } from 'kysely';
import type { NewMessage } from '../../delivery/message-writer.ts';

export interface MessageRow {
  id: string;
  room_id: string;
  seq: number;
  rev: number | null;
  sender_id: string;
  sender_name: string;
  content: string;
  client_msg_id: string;
  created_at: Date;
  reply_to: number | null;
  edited_at: Date | null;
  deleted_at: Date | null;
  reactions: Reaction[] | null;
}

/** Commits a batch in one round trip; the answers come back in the order of the batch. */
export async function appendMessages(db: Kysely<Database>, batch: readonly NewMessage[]): Promise<AppendedRow[]> {
  const { rows } = await sql<AppendedRow>`
    select * from append_messages(
      ${batch.map((message) => message.roomId)}::uuid[],
      ${batch.map((message) => message.senderId)}::text[],
      ${batch.map((message) => message.clientMsgId)}::text[],
      ${batch.map((message) => message.id)}::uuid[],
      ${batch.map((message) => message.content)}::text[],
      ${batch.map((message) => message.replyTo)}::bigint[]
    )`.execute(db);
  return rows.sort((one, other) => one.idx - other.idx);
}

/** Who reacted how, first come first named; only messages that were ever changed are asked for. */
const reactions = sql<Reaction[] | null>`case when messages.rev is not null then (
  select json_agg(json_build_object('emoji', r.emoji, 'count', r.count, 'userIds', r.user_ids) order by r.since)
  from (
    select emoji, count(*)::int as count, (array_agg(user_id order by created_at))[:20] as user_ids,
      min(created_at) as since
    from message_reactions x where x.room_id = messages.room_id and x.seq = messages.seq group by emoji
  ) r
) end`;

function messagesOf(db: Kysely<Database>, roomId: string) {
  return db
    .selectFrom('messages')
    .innerJoin('users', 'users.id', 'messages.sender_id')
    .where('messages.room_id', '=', roomId)
    .select([
      'messages.id',
      'messages.room_id',
      'messages.seq',
      'messages.rev',
      'messages.sender_id',
      'users.name as sender_name',
      'messages.content',
      'messages.client_msg_id',
      'messages.created_at',
      'messages.reply_to',
      'messages.edited_at',
      'messages.deleted_at',
      reactions.as('reactions'),
    ]);
}

/** The newest messages with `seq` below `before`, in ascending order. */
export async function messagesBefore(
  db: Kysely<Database>,
  roomId: string,
  before: number,
  limit: number,
): Promise<MessageRow[]> {
  const rows = await messagesOf(db, roomId)
    .where('messages.seq', '<', before)
    .orderBy('messages.seq', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse();
}

/** Messages with `seq` above `after` and up to `upTo`, the oldest first. */
export function messagesBetween(
  db: Kysely<Database>,
  roomId: string,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<MessageRow[]> {
  return messagesOf(db, roomId)
    .where('messages.seq', '>', after)
    .where('messages.seq', '<=', upTo)
    .orderBy('messages.seq')
    .limit(limit)
    .execute();
}

/** Messages up to `upToSeq` whose latest change is above `afterRev`, by ascending `rev`. */
export function messagesChanged(
  db: Kysely<Database>,
  roomId: string,
  { upToSeq, afterRev, limit }: { upToSeq: number; afterRev: number; limit: number },
): Promise<MessageRow[]> {
  return messagesOf(db, roomId)
    .where('messages.rev', '>', afterRev)
    .where('messages.seq', '<=', upToSeq)
    .orderBy('messages.rev')
    .limit(limit)
    .execute();
}
