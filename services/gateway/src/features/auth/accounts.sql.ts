import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';

export interface AccountRow extends UserRow {
  password_hash: string | null;
  role: 'user' | 'admin';
  banned_at: Date | null;
}

/** Usernames are ASCII, so lower case is all the folding there is. */
export const usernameKey = (username: string): string => username.toLowerCase();

/** @throws a unique violation of `users_username_key_key` when the name is taken */
export function insertAccount(
  db: Kysely<Database>,
  account: { id: string; username: string; name: string; passwordHash: string },
): Promise<UserRow> {
  return db
    .insertInto('users')
    .values({
      id: account.id,
      name: account.name,
      username: account.username,
      username_key: usernameKey(account.username),
      password_hash: account.passwordHash,
    })
    .returning(userColumns)
    .executeTakeFirstOrThrow();
}

export function findAccount(db: Kysely<Database>, username: string): Promise<AccountRow | undefined> {
  return db
    .selectFrom('users')
    .where('username_key', '=', usernameKey(username))
    .select([...userColumns, 'users.password_hash', 'users.role', 'users.banned_at'])
    .executeTakeFirst();
}
