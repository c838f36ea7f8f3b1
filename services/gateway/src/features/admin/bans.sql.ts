import type { Database } from '@parley/database';
import { sql, type Transaction } from 'kysely';

/** @returns whether that changed anything; undefined for an unknown user */
export async function banUser(trx: Transaction<Database>, userId: string): Promise<boolean | undefined> {
  const before = await lockUser(trx, userId);
  if (!before) return undefined;
  await trx
    .updateTable('users')
    .set({ banned_at: sql`clock_timestamp()` })
    .where('id', '=', userId)
    .where('banned_at', 'is', null)
    .execute();
  return !before.isBanned;
}

/** @returns whether that changed anything; undefined for an unknown user */
export async function unbanUser(trx: Transaction<Database>, userId: string): Promise<boolean | undefined> {
  const before = await lockUser(trx, userId);
  if (!before) return undefined;
  await trx.updateTable('users').set({ banned_at: null }).where('id', '=', userId).execute();
  return before.isBanned;
}

async function lockUser(trx: Transaction<Database>, userId: string): Promise<{ isBanned: boolean } | undefined> {
  const row = await trx
    .selectFrom('users')
    .where('id', '=', userId)
    .select('banned_at')
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row && { isBanned: row.banned_at !== null };
}
