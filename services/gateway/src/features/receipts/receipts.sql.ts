import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';

export interface ReadRow {
  last_read_seq: number;
  head_seq: number;
  /** Whether this request moved it. */
  has_moved: boolean;
}

/**
 * Moves a member's mark forward, never back and never beyond the head, without the room's lock: a head only grows.
 * What does not move is not written. Somebody who marks at the same time may be further than the answer says.
 *
 * @returns undefined for who is no member
 */
export async function markRead(
  db: Kysely<Database>,
  { roomId, userId, seq }: { roomId: string; userId: string; seq: number },
): Promise<ReadRow | undefined> {
  const { rows } = await sql<ReadRow>`
    with moved as (
      update members m set last_read_seq = least(${seq}::bigint, r.head_seq)
      from rooms r
      where r.id = ${roomId}::uuid and m.room_id = r.id and m.user_id = ${userId}
        and m.last_read_seq < least(${seq}::bigint, r.head_seq)
      returning m.last_read_seq
    )
    select greatest(m.last_read_seq, least(${seq}::bigint, r.head_seq)) as last_read_seq, r.head_seq,
      exists (select from moved) as has_moved
    from members m
    join rooms r on r.id = m.room_id
    where m.room_id = ${roomId}::uuid and m.user_id = ${userId}`.execute(db);
  return rows[0];
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
