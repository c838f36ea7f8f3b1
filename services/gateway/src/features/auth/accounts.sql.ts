import type { Database } from '@parley/database';
import type { Kysely, Transaction } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';

/** A user with a username. */
export interface AccountRow extends UserRow {
  username: string;
  password_hash: string | null;
  role: 'user' | 'admin';
  banned_at: Date | null;
  email: string | null;
}

/** Usernames are ASCII, so lower case is all the folding there is. */
export const usernameKey = (username: string): string => username.toLowerCase();

/** @throws a unique violation of `users_username_key_key` when the name is taken */
export function insertAccount(
  db: Kysely<Database>,
  account: { id: string; username: string; name: string; passwordHash: string; email: string | null },
): Promise<UserRow> {
  return db
    .insertInto('users')
    .values({
      id: account.id,
      name: account.name,
      username: account.username,
      username_key: usernameKey(account.username),
      password_hash: account.passwordHash,
      email: account.email,
    })
    .returning(userColumns)
    .executeTakeFirstOrThrow();
}

const accountColumns = [
  ...userColumns,
  'users.username',
  'users.password_hash',
  'users.role',
  'users.banned_at',
  'users.email',
] as const;

export function findAccount(db: Kysely<Database>, username: string): Promise<AccountRow | undefined> {
  return db
    .selectFrom('users')
    .where('username_key', '=', usernameKey(username))
    .select(accountColumns)
    .$narrowType<{ username: string }>()
    .executeTakeFirst();
}

/** The account of a user; undefined for one of an application, who has no username here. */
export function findAccountOf(db: Kysely<Database>, userId: string): Promise<AccountRow | undefined> {
  return db
    .selectFrom('users')
    .where('id', '=', userId)
    .where('username', 'is not', null)
    .select(accountColumns)
    .$narrowType<{ username: string }>()
    .executeTakeFirst();
}

/** Puts a new password in the place of the one that was checked. @returns false when that was changed meanwhile */
export async function replacePassword(
  trx: Transaction<Database>,
  { userId, from, to }: { userId: string; from: string; to: string },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('users')
    .set({ password_hash: to })
    .where('id', '=', userId)
    .where('password_hash', '=', from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
