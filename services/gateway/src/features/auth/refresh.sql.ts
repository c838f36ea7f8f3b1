import type { Database } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';

/** Marks a token as used. Of several at once exactly one gets the session; for the others it was used before. */
export async function useRefreshToken(trx: Transaction<Database>, hash: Buffer): Promise<string | undefined> {
  const row = await trx
    .updateTable('refresh_tokens')
    .set({ used_at: sql`now()` })
    .where('token_hash', '=', hash)
    .where('used_at', 'is', null)
    .returning('session_id')
    .executeTakeFirst();
  return row?.session_id;
}

export interface RefreshedRow {
  id: string;
  name: string;
  role: 'user' | 'admin';
}

/** Lets a session that is good go on until then, with its next refresh token. @returns whose it is */
export async function extendSession(
  trx: Transaction<Database>,
  sessionId: string,
  next: { hash: Buffer; expiresAt: Date },
): Promise<RefreshedRow | undefined> {
  const { rows } = await sql<RefreshedRow>`
    with session as (
      update sessions set expires_at = ${next.expiresAt}::timestamptz
      where id = ${sessionId}::uuid and ended_at is null and expires_at > now() returning id, user_id
    ), token as (
      insert into refresh_tokens (token_hash, session_id) select ${next.hash}::bytea, id from session
    )
    select users.id, users.name, users.role from session join users on users.id = session.user_id`.execute(trx);
  return rows[0];
}

/** Whether a session has run out by itself. */
export async function hasExpired(db: Kysely<Database>, sessionId: string): Promise<boolean> {
  const row = await db
    .selectFrom('sessions')
    .where('id', '=', sessionId)
    .where('ended_at', 'is', null)
    .where('expires_at', '<=', sql<Date>`now()`)
    .select('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends the session of a token that was used before, if it is one. @returns whose session has ended by this */
export async function endReused(
  db: Kysely<Database>,
  hash: Buffer,
): Promise<{ sessionId: string; userId: string } | undefined> {
  const { rows } = await sql<{ id: string; user_id: string }>`
    update sessions set ended_at = clock_timestamp() from refresh_tokens as used
    where used.token_hash = ${hash}::bytea and used.used_at is not null
      and sessions.id = used.session_id and sessions.ended_at is null
    returning sessions.id, sessions.user_id`.execute(db);
  const [row] = rows;
  return row && { sessionId: row.id, userId: row.user_id };
}
