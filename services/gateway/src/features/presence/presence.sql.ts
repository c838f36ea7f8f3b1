import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import { userColumns, userColumnsInSql, type UserRow } from '../users/view.ts';

/** The rooms that users are members of. */
export function roomsOfUsers(
  db: Kysely<Database>,
  userIds: readonly string[],
): Promise<{ room_id: string; user_id: string }[]> {
  return db
    .selectFrom('members')
    .where((eb) => eb('user_id', '=', eb.fn.any(eb.val(userIds as string[]))))
    .select(['room_id', 'user_id'])
    .execute();
}

export async function usersById(db: Kysely<Database>, userIds: readonly string[]): Promise<UserRow[]> {
  if (userIds.length === 0) return [];
  const { rows } = await sql<UserRow>`
    select ${userColumnsInSql} from users where id = any(${userIds}::text[])`.execute(db);
  return rows;
}

/** Those of the users that one shares a room with, and oneself. */
export function knownUsers(db: Kysely<Database>, viewerId: string, userIds: readonly string[]): Promise<UserRow[]> {
  return db
    .selectFrom('users')
    .where((eb) => eb('users.id', '=', eb.fn.any(eb.val(userIds as string[]))))
    .where((eb) =>
      eb.or([
        eb('users.id', '=', viewerId),
        eb.exists(
          eb
            .selectFrom('members as theirs')
            .innerJoin('members as mine', 'mine.room_id', 'theirs.room_id')
            .whereRef('theirs.user_id', '=', 'users.id')
            .where('mine.user_id', '=', viewerId)
            .select('theirs.room_id'),
        ),
      ]),
    )
    .select(userColumns)
    .execute();
}

/** A user with the rooms that it is a member of. */
export interface UserInRooms extends UserRow {
  room_ids: string[];
  /** What was noted of the user is new. */
  is_news: boolean;
}

/**
 * Notes who is told to be online, and reads these users, in one round trip: it is what every connect costs.
 *
 * @returns those who exist; `is_news` for whom it is new, at one gateway only however many note it at once
 */
export async function noteOnline(db: Kysely<Database>, userIds: readonly string[]): Promise<UserInRooms[]> {
  if (userIds.length === 0) return [];
  const { rows } = await sql<UserInRooms>`select * from note_online(${userIds}::text[])`.execute(db);
  return rows;
}

/** The same for who is offline: who was told to be online was seen last at this moment. Two statements. */
export async function noteOffline(db: Kysely<Database>, userIds: readonly string[]): Promise<UserInRooms[]> {
  if (userIds.length === 0) return [];
  const gone = await sql<{ id: string }>`
    with told as (
      select user_id from online_users where user_id = any(${userIds}::text[]) order by user_id for update
    ), gone as (
      delete from online_users using told where online_users.user_id = told.user_id returning told.user_id
    )
    update users set last_seen_at = now() from gone where users.id = gone.user_id returning users.id`.execute(db);
  const changed = new Set(gone.rows.map((row) => row.id));
  const { rows } = await sql<Omit<UserInRooms, 'is_news'>>`
    select ${userColumnsInSql}, array(select room_id from members where members.user_id = users.id) as room_ids
    from users where users.id = any(${userIds}::text[])`.execute(db);
  return rows.map((row) => ({ ...row, is_news: changed.has(row.id) }));
}

/** Users that are told to be online, by id, after the given one. */
export async function toldOnline(db: Kysely<Database>, after: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('online_users')
    .where('user_id', '>', after)
    .orderBy('user_id')
    .limit(limit)
    .select('user_id')
    .execute();
  return rows.map((row) => row.user_id);
}

/** @returns undefined when there is no such user */
export function setStatus(
  db: Kysely<Database>,
  userId: string,
  status: { chosen_status: 'online' | 'away' | 'dnd'; status_text?: string | null },
): Promise<UserRow | undefined> {
  return db.updateTable('users').set(status).where('id', '=', userId).returning(userColumns).executeTakeFirst();
}
