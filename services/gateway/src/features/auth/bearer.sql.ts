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
  /** The rooms that the user is a member of. */
  room_ids: string[];
}

/** Whom a token names, and what it is known by. */
export interface BearerKey {
  userId: string;
  sessionId?: string | undefined;
  tokenId?: string | undefined;
}

/** A user to be made when there is none of that id. */
export interface ClaimedUser {
  name: string;
  claimedName: string | undefined;
}

/** What of a user is neither shown nor in another table, and what a new user has of the rest. */
const columns = sql`users.id, users.name, users.avatar_url, users.status_text, users.chosen_status, users.last_seen_at,
  users.claimed_name, users.tokens_valid_after, users.banned_at is not null as is_banned,
  users.password_hash is not null as has_password`;

/**
 * All that decides on a token, in one query.
 *
 * @param absent makes the user when there is none
 */
export async function findBearer(
  db: Kysely<Database>,
  { userId, sessionId, tokenId }: BearerKey,
  absent?: ClaimedUser,
): Promise<BearerRow | undefined> {
  const revoked = tokenId === undefined ? null : Buffer.from(tokenId, 'base64url');
  const { rows } = await sql<BearerRow>`
    with known as (
      select ${columns},
        (select ended_at is null and expires_at > now() from sessions
          where sessions.id = ${sessionId ?? null}::uuid and sessions.user_id = users.id) as session_is_live,
        exists (select from revoked_tokens where token_id = ${revoked}::bytea) as is_revoked,
        array(select room_id from members where members.user_id = users.id) as room_ids
      from users where users.id = ${userId}
    ), made as (
      insert into users (id, name, claimed_name)
      select ${userId}::text, ${absent?.name ?? null}::text, ${absent?.claimedName ?? null}::text
      where ${absent?.name ?? null}::text is not null and not exists (select from known)
      on conflict do nothing returning ${columns}
    )
    select * from known union all select made.*, null, false, '{}' from made`.execute(db);
  const [row] = rows;
  // Made by somebody else in this moment: there is one now.
  return row ?? (absent && findBearer(db, { userId, sessionId, tokenId }));
}

/**
 * Takes over a `name` claim that is new. Accounts with a password here keep their name.
 */
export function renameClaimed(
  db: Kysely<Database>,
  { id, claimedName }: { id: string; claimedName: string },
): Promise<UserRow> {
  return db
    .updateTable('users')
    .set({
      claimed_name: claimedName,
      name: sql`case
        when password_hash is null and claimed_name is distinct from ${claimedName} then ${claimedName} else name end`,
    })
    .where('id', '=', id)
    .returning(userColumns)
    .executeTakeFirstOrThrow();
}
