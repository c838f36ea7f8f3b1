import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';

export interface FailureKey {
  /** Case-folded, whether there is such an account or not. */
  accountKey: string;
  address: string;
}

/** Until when the pair is locked; undefined when it is not. */
export async function findLock(db: Kysely<Database>, { accountKey, address }: FailureKey): Promise<Date | undefined> {
  const row = await db
    .selectFrom('login_failures')
    .where('account_key', '=', accountKey)
    .where('address', '=', address)
    .where('locked_until', '>', sql<Date>`now()`)
    .select('locked_until')
    .executeTakeFirst();
  return row?.locked_until ?? undefined;
}

/**
 * Counts a failure; the last one that is allowed in the window locks the pair.
 *
 * @returns until when the pair was locked already; then nothing is counted
 */
export async function insertFailure(
  db: Kysely<Database>,
  key: FailureKey,
  { failures, windowMs, lockMs }: { failures: number; windowMs: number; lockMs: number },
): Promise<Date | undefined> {
  const { rows } = await sql`
    insert into login_failures as f (account_key, address, failures) values (${key.accountKey}, ${key.address}, 1)
    on conflict (account_key, address) do update set
      failures = case when f.first_at > now() - ${windowMs} * interval '1 ms' then f.failures + 1 else 1 end,
      first_at = case when f.first_at > now() - ${windowMs} * interval '1 ms' then f.first_at else now() end,
      locked_until = case
        when f.first_at > now() - ${windowMs} * interval '1 ms' and f.failures + 1 >= ${failures}
        then now() + ${lockMs} * interval '1 ms' end
    where f.locked_until is null or f.locked_until <= now()
    returning failures`.execute(db);
  return rows.length === 1 ? undefined : findLock(db, key);
}

/** Forgets the failures of a pair that is not locked. @returns until when it is locked, if it is */
export async function clearFailures(
  db: Kysely<Database>,
  { accountKey, address }: FailureKey,
): Promise<Date | undefined> {
  const { rows } = await sql<{ locked_until: Date }>`
    with cleared as (
      delete from login_failures where account_key = ${accountKey} and address = ${address}
        and (locked_until is null or locked_until <= now())
    )
    select locked_until from login_failures
    where account_key = ${accountKey} and address = ${address} and locked_until > now()`.execute(db);
  return rows[0]?.locked_until;
}
