import type { AppendedRow, Database } from '@parley/database';
import type { Reaction } from '@parley/protocol';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import type { NewMessage } from '../../delivery/message-writer.ts';
import { readSpans, type RoomSpan } from './spans.sql.ts';

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

/** As text: it runs for every batch, and Kysely would compile it anew each time. */
const APPEND = `select * from append_messages(
  $1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::integer
)`;

/**
 * Commits a batch in one round trip; the answers come back in the order of the batch.
 *
 * @param lockTimeoutMs a wait for the lock of a row ends after so long, with an error that is `isTransient`
 */
export async function appendMessages(
  db: Kysely<Database>,
  batch: readonly NewMessage[],
  lockTimeoutMs: number,
): Promise<AppendedRow[]> {
  const { rows } = await db.executeQuery<AppendedRow>(
    CompiledQuery.raw(APPEND, [
      batch.map((message) => message.roomId),
      batch.map((message) => message.senderId),
      batch.map((message) => message.clientMsgId),
      batch.map((message) => message.id),
      batch.map((message) => message.content),
      batch.map((message) => message.replyTo),
      lockTimeoutMs,
    ]),
  );
  return rows.sort((one, other) => one.idx - other.idx);
}

/** Whether a message with this key of idempotence is stored. */
export async function wasSent(
  db: Kysely<Database>,
  { roomId, senderId, clientMsgId }: { roomId: string; senderId: string; clientMsgId: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .where('room_id', '=', roomId)
    .where('sender_id', '=', senderId)
    .where('client_msg_id', '=', clientMsgId)
    .select('seq')
    .executeTakeFirst();
  return row !== undefined;
}

/** Only messages that were ever changed are asked for their reactions. */
const reactions = sql<Reaction[] | null>`case when messages.rev is not null
  then reactions_of(messages.room_id, messages.seq) end`;

const columns = sql`messages.id, messages.room_id, messages.seq, messages.rev, messages.sender_id,
  users.name as sender_name, messages.content, messages.client_msg_id, messages.created_at, messages.reply_to,
  messages.edited_at, messages.deleted_at, ${reactions} as reactions`;

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

/** Those of the given messages that exist, in no order. */
export function messagesWithSeqs(db: Kysely<Database>, roomId: string, seqs: readonly number[]): Promise<MessageRow[]> {
  return messagesOf(db, roomId)
    .where((eb) => eb('messages.seq', '=', eb.fn.any(eb.val(seqs as number[]))))
    .execute();
}

/** Messages of many rooms with one query: of each span the first `limit`, in order. */
export function messagesInSpans(
  db: Kysely<Database>,
  spans: readonly RoomSpan[],
  limit: number,
): Promise<MessageRow[]> {
  return readSpans(
    db,
    spans,
    sql`select ${columns} from messages join users on users.id = messages.sender_id
      where messages.room_id = span.room_id and messages.seq > span.after and messages.seq <= span.up_to
      order by messages.seq limit ${limit}`,
  );
}

export function findHeads(
  db: Kysely<Database>,
  roomIds: readonly string[],
): Promise<{ id: string; head_seq: number; head_rev: number; members_rev: number }[]> {
  return db
    .selectFrom('rooms')
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(roomIds as string[]))))
    .select(['id', 'head_seq', 'head_rev', 'members_rev'])
    .execute();
}

/** Of many rooms with one query: messages up to a `seq` whose latest change is after a `rev`, by ascending `rev`. */
export function changedInSpans(
  db: Kysely<Database>,
  spans: readonly { roomId: string; afterRev: number; upToSeq: number }[],
  limit: number,
): Promise<MessageRow[]> {
  return readSpans(
    db,
    spans.map(({ roomId, afterRev, upToSeq }) => ({ roomId, after: afterRev, upTo: upToSeq })),
    sql`select ${columns} from messages join users on users.id = messages.sender_id
      where messages.room_id = span.room_id and messages.rev > span.after and messages.seq <= span.up_to
      order by messages.rev limit ${limit}`,
  );
}
