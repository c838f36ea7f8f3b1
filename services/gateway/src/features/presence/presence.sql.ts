import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';

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

export function usersById(db: Kysely<Database>, userIds: readonly string[]): Promise<UserRow[]> {
  return db
    .selectFrom('users')
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(userIds as string[]))))
    .select(userColumns)
    .execute();
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

/**
 * Notes who is told to be online and who offline; the latter were seen last at this moment. Rows are locked in the order
 * of their ids, so that two gateways with the same users wait for each other only once.
 *
 * @returns those for whom that is new, however many gateways note it at once
 */
export async function noteOnline(
  db: Kysely<Database>,
  online: readonly string[],
  offline: readonly string[],
): Promise<Set<string>> {
  const changed = new Set<string>();
  if (online.length > 0) {
    const { rows } = await sql<{ user_id: string }>`
      insert into online_users (user_id)
      select id from users where id = any(${online}::text[]) order by id
      on conflict do nothing returning user_id`.execute(db);
    for (const row of rows) changed.add(row.user_id);
  }
  if (offline.length > 0) {
    const { rows } = await sql<{ id: string }>`
      with told as (
        select user_id from online_users where user_id = any(${offline}::text[]) order by user_id for update
      ), gone as (
        delete from online_users using told where online_users.user_id = told.user_id returning told.user_id
      )
      update users set last_seen_at = now() from gone where users.id = gone.user_id returning users.id`.execute(db);
    for (const row of rows) changed.add(row.id);
  }
  return changed;
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
