import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';
import type { Reading } from './reading.ts';

export interface ReadRow {
  room_id: string;
  user_id: string;
  last_read_seq: number;
  head_seq: number;
  /** Whether this statement moved it. */
  has_moved: boolean;
  /** It has to be moved, but somebody else holds the member's row. */
  is_held: boolean;
}

/**
 * Moves members' marks forward, never back and never beyond the head, without the rooms' locks: a head only grows. What
 * does not move is not written. Of several readings of one member in one room the farthest counts. It waits for
 * nobody: rows that are held are skipped.
 *
 * @returns one row a member and room; none for who is no member
 */
export async function markRead(db: Kysely<Database>, readings: readonly Reading[]): Promise<ReadRow[]> {
  const { rows } = await sql<ReadRow>`
    with input as materialized (
      select room_id, user_id, max(seq) as seq from unnest(
        ${readings.map(({ roomId }) => roomId)}::uuid[],
        ${readings.map(({ userId }) => userId)}::text[],
        ${readings.map(({ seq }) => seq)}::bigint[]
      ) as t (room_id, user_id, seq)
      group by room_id, user_id
    ),
    wanted as materialized (
      select m.room_id, m.user_id, m.last_read_seq, r.head_seq, least(i.seq, r.head_seq) as seq
      from input i
      join members m on m.room_id = i.room_id and m.user_id = i.user_id
      join rooms r on r.id = i.room_id
    ),
    free as (
      select m.room_id, m.user_id, w.seq from members m
      join wanted w on w.room_id = m.room_id and w.user_id = m.user_id
      where m.last_read_seq < w.seq
      order by m.room_id, m.user_id
      for no key update of m skip locked
    ),
    moved as (
      update members m set last_read_seq = free.seq from free
      where m.room_id = free.room_id and m.user_id = free.user_id
      returning m.room_id, m.user_id
    )
    select w.room_id, w.user_id, greatest(w.last_read_seq, w.seq) as last_read_seq, w.head_seq,
      moved.user_id is not null as has_moved,
      w.last_read_seq < w.seq and moved.user_id is null as is_held
    from wanted w
    left join moved on moved.room_id = w.room_id and moved.user_id = w.user_id`.execute(db);
  return rows;
}

export interface Readable {
  sender_id: string;
  created_at: Date;
}

export function findReadable(db: Kysely<Database>, roomId: string, seq: number): Promise<Readable | undefined> {
  return db
    .selectFrom('messages')
    .where('room_id', '=', roomId)
    .where('seq', '=', seq)
    .select(['sender_id', 'created_at'])
    .executeTakeFirst();
}

/**
 * Members who have read up to `seq`, by user id after the given one. No index serves `last_read_seq`: it would make
 * every read an index update. A page walks the members of the room instead.
 */
export function listReaders(
  db: Kysely<Database>,
  { roomId, seq, message }: { roomId: string; seq: number; message: Readable },
  page: { after: string | undefined; limit: number },
): Promise<UserRow[]> {
  return (
    db
      .selectFrom('members')
      .innerJoin('users', 'users.id', 'members.user_id')
      .where('members.room_id', '=', roomId)
      .where('members.last_read_seq', '>=', seq)
      .where('members.user_id', '<>', message.sender_id)
      // New members begin at the head, which says nothing of what was there before. Messages have whole milliseconds.
      .where(sql<boolean>`date_trunc('milliseconds', members.joined_at) <= ${message.created_at}`)
      .$if(page.after !== undefined, (qb) => qb.where('members.user_id', '>', page.after as string))
      .orderBy('members.user_id')
      .limit(page.limit)
      .select(userColumns)
      .execute()
  );
}
