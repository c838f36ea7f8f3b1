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

export interface BearerQuestion extends BearerKey {
  /** Makes the user when there is none. */
  absent?: ClaimedUser | undefined;
}

/** All that decides on tokens, for each in its place, in one query; undefined for a user that is not known. */
export async function findBearers(
  db: Kysely<Database>,
  questions: readonly BearerQuestion[],
): Promise<(BearerRow | undefined)[]> {
  const { rows } = await sql<BearerRow & { idx: number }>`
    select * from recognise_bearers(
      ${questions.map(({ userId }) => userId)}::text[],
      ${questions.map(({ sessionId }) => sessionId ?? null)}::uuid[],
      ${questions.map(({ tokenId }) => (tokenId === undefined ? null : Buffer.from(tokenId, 'base64url')))}::bytea[],
      ${questions.map(({ absent }) => absent?.name ?? null)}::text[],
      ${questions.map(({ absent }) => absent?.claimedName ?? null)}::text[]
    )`.execute(db);
  const found = new Map(rows.map((row) => [row.idx, row]));
  return questions.map((_, index) => found.get(index + 1));
}

/** The same for one token. */
export async function findBearer(db: Kysely<Database>, question: BearerQuestion): Promise<BearerRow | undefined> {
  const [bearer] = await findBearers(db, [question]);
  return bearer;
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
