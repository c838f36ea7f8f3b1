import type { Database } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';

export interface NewSession {
  id: string;
  userId: string;
  expiresAt: Date;
  refreshTokenHash: Buffer;
  /** The hash that the login's password was checked with; undefined when it was no password. */
  passwordHash: string | null | undefined;
}

/**
 * Opens a login with its first refresh token.
 *
 * The user's row is locked for it, so that a password change, a logout of all or a ban at the same moment comes either
 * before (then nothing is opened) or after (then it finds this session and ends it).
 *
 * @returns false when the user is banned, or the password is another one by now
 */
export async function insertSession(db: Kysely<Database>, session: NewSession): Promise<boolean> {
  const { rows } = await sql`
    with bearer as (
      select id from users where id = ${session.userId} and banned_at is null
        and (${session.passwordHash ?? null}::text is null or password_hash = ${session.passwordHash ?? null}::text)
      for share
    ), session as (
      insert into sessions (id, user_id, expires_at)
      select ${session.id}::uuid, bearer.id, ${session.expiresAt}::timestamptz from bearer returning id
    )
    insert into refresh_tokens (token_hash, session_id)
    select ${session.refreshTokenHash}::bytea, session.id from session returning session_id`.execute(db);
  return rows.length === 1;
}

/** @returns false when it had ended before */
export async function endSessionRow(db: Kysely<Database>, sessionId: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set({ ended_at: sql`clock_timestamp()` })
    .where('id', '=', sessionId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Gives back a token that an application signed. Nothing happens when it was given back before. */
export async function insertRevokedToken(
  db: Kysely<Database>,
  token: { id: string; userId: string; expiresAt: Date },
): Promise<void> {
  await db
    .insertInto('revoked_tokens')
    .values({ token_id: Buffer.from(token.id, 'base64url'), user_id: token.userId, expires_at: token.expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Ends all sessions of a user, and refuses the tokens that an application has signed so far.
 *
 * Two statements, since the second has to see what a login has committed while the first waited for the user's row.
 */
export async function endCredentials(trx: Transaction<Database>, userId: string): Promise<void> {
  await trx
    .updateTable('users')
    .set({ tokens_valid_after: sql`clock_timestamp()` })
    .where('id', '=', userId)
    .execute();
  await endSessionsOf(trx, userId);
}

/** To be called with the user's row locked, as a statement of its own: it has to see what a login has just committed. */
export async function endSessionsOf(trx: Transaction<Database>, userId: string): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ ended_at: sql`clock_timestamp()` })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute();
}
