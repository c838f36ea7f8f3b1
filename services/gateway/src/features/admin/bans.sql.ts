import type { Database } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';

/**
 * Bans a user and ends all sessions. Two statements, since the second has to see what a login has committed while the
 * first waited for the user's row.
 *
 * @returns whether that changed anything; undefined for an unknown user
 */
export async function banUser(trx: Transaction<Database>, userId: string): Promise<boolean | undefined> {
  const before = await lockUser(trx, userId);
  if (!before) return undefined;
  await trx
    .updateTable('users')
    .set({ banned_at: sql`clock_timestamp()` })
    .where('id', '=', userId)
    .where('banned_at', 'is', null)
    .execute();
  await trx
    .updateTable('sessions')
    .set({ ended_at: sql`clock_timestamp()` })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
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

export async function insertOperatorAct(
  db: Kysely<Database>,
  act: { actorId: string; act: 'user:ban' | 'user:unban'; targetId: string },
): Promise<void> {
  await db.insertInto('audit_log').values({ actor_id: act.actorId, act: act.act, target_id: act.targetId }).execute();
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
