import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';

export interface BearerRow extends UserRow {
  claimed_name: string | null;
  is_banned: boolean;
  has_password: boolean;
  /** Null without a session to look for, or when it is not there. */
  session_is_live: boolean | null;
  /** The token was given back. */
  is_revoked: boolean;
  tokens_valid_after: Date | null;
}

/** Whom a token names, and what it is known by. */
export interface BearerKey {
  userId: string;
  sessionId?: string | undefined;
  tokenId?: string | undefined;
}

/** All that decides on a token, in one query. */
export function findBearer(
  db: Kysely<Database>,
  { userId, sessionId, tokenId }: BearerKey,
): Promise<BearerRow | undefined> {
  const revoked = tokenId === undefined ? null : Buffer.from(tokenId, 'base64url');
  return db
    .selectFrom('users')
    .leftJoin('sessions', (join) =>
      join.onRef('sessions.user_id', '=', 'users.id').on('sessions.id', '=', sql<string>`${sessionId ?? null}::uuid`),
    )
    .where('users.id', '=', userId)
    .select([...userColumns, 'users.claimed_name', 'users.tokens_valid_after'])
    .select((eb) => [
      eb('users.banned_at', 'is not', null).as('is_banned'),
      eb('users.password_hash', 'is not', null).as('has_password'),
      sql<boolean | null>`sessions.ended_at is null and sessions.expires_at > now()`.as('session_is_live'),
      sql<boolean>`exists (select from revoked_tokens where token_id = ${revoked}::bytea)`.as('is_revoked'),
    ])
    .executeTakeFirst() as Promise<BearerRow | undefined>;
}

/**
 * Creates the user that a token speaks of, or takes over a `name` claim that is new. Accounts with a password here keep
 * their name.
 */
export function upsertClaimedUser(
  db: Kysely<Database>,
  user: { id: string; name: string; claimedName: string | undefined },
): Promise<UserRow> {
  return db
    .insertInto('users')
    .values({ id: user.id, name: user.name, claimed_name: user.claimedName ?? null })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        claimed_name: sql`coalesce(excluded.claimed_name, users.claimed_name)`,
        name: sql`case
          when users.password_hash is null and excluded.claimed_name is distinct from users.claimed_name
            and excluded.claimed_name is not null
          then excluded.name else users.name end`,
      }),
    )
    .returning(userColumns)
    .executeTakeFirstOrThrow();
}
