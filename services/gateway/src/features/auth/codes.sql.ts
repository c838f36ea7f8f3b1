import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';

export interface NewCode {
  accountKey: string;
  hash: Buffer;
  ttlMs: number;
}

/**
 * Puts a code in the place of the one before, whether there is such an account or not.
 *
 * @returns until when no more codes are made for this name; undefined when this one was
 */
export async function putCode(
  db: Kysely<Database>,
  { accountKey, hash, ttlMs }: NewCode,
  { requests, windowMs }: { requests: number; windowMs: number },
): Promise<Date | undefined> {
  const { rows } = await sql`
    insert into login_codes as c (account_key, code_hash, expires_at)
    values (${accountKey}, ${hash}, now() + ${ttlMs} * interval '1 ms')
    on conflict (account_key) do update set
      code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0,
      requests = case when c.first_at > now() - ${windowMs} * interval '1 ms' then c.requests + 1 else 1 end,
      first_at = case when c.first_at > now() - ${windowMs} * interval '1 ms' then c.first_at else now() end
    where c.first_at <= now() - ${windowMs} * interval '1 ms' or c.requests < ${requests}
    returning account_key`.execute(db);
  if (rows.length === 1) return undefined;
  const row = await db
    .selectFrom('login_codes')
    .where('account_key', '=', accountKey)
    .select('first_at')
    .executeTakeFirst();
  return new Date((row?.first_at.getTime() ?? Date.now()) + windowMs);
}

/**
 * Takes one attempt of the code, right or wrong; all replicas count in this row.
 *
 * @returns the code's hash; undefined when there is none that is good, or its attempts are used up
 */
export async function takeAttempt(
  db: Kysely<Database>,
  accountKey: string,
  attempts: number,
): Promise<Buffer | undefined> {
  const row = await db
    .updateTable('login_codes')
    .set((eb) => ({ attempts: eb('attempts', '+', 1) }))
    .where('account_key', '=', accountKey)
    .where('expires_at', '>', sql<Date>`now()`)
    .where('attempts', '<', attempts)
    .returning('code_hash')
    .executeTakeFirst();
  return row?.code_hash;
}

/** Uses a code up. @returns false when somebody was faster, or it was replaced meanwhile */
export async function useCode(db: Kysely<Database>, accountKey: string, hash: Buffer): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('login_codes')
    .where('account_key', '=', accountKey)
    .where('code_hash', '=', hash)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function deleteCodes(db: Kysely<Database>, accountKey: string): Promise<void> {
  await db.deleteFrom('login_codes').where('account_key', '=', accountKey).execute();
}
