import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';
import { userColumns, type UserRow } from './view.ts';

export function findUser(db: Kysely<Database>, userId: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').where('id', '=', userId).select(userColumns).executeTakeFirst();
}

export function updateProfile(
  db: Kysely<Database>,
  userId: string,
  changes: { name?: string; avatar_url?: string | null; status_text?: string | null },
): Promise<UserRow | undefined> {
  return db.updateTable('users').set(changes).where('id', '=', userId).returning(userColumns).executeTakeFirst();
}
