import type { BearerRow } from './bearer.sql.ts';

/** What a token is judged by besides its signature; an `Identity` is one as well. */
export interface Credential {
  readonly sessionId?: string;
  readonly issuedAt?: number;
}

/**
 * Why a token that was good is refused, and its sockets are ended; undefined while it is good.
 *
 * A session decides over its tokens alone. Those of an application have none: they are given back one by one, or all
 * that were issued up to a moment. Their `iat` counts whole seconds, so the second of that moment belongs to the past:
 * a token that was issued before must not be good because the clock has not moved on.
 *
 * @param bearer undefined for a user that is not known (yet)
 */
export function endingOf(
  bearer: BearerRow | undefined,
  { sessionId, issuedAt }: Credential,
): 'BANNED' | 'LOGGED_OUT' | undefined {
  if (bearer?.is_banned) return 'BANNED';
  if (sessionId !== undefined) return bearer?.session_is_live ? undefined : 'LOGGED_OUT';
  if (bearer?.is_revoked) return 'LOGGED_OUT';
  const validAfter = bearer?.tokens_valid_after?.getTime();
  if (validAfter === undefined || issuedAt === undefined) return undefined;
  return secondOf(issuedAt) <= secondOf(validAfter) ? 'LOGGED_OUT' : undefined;
}

const secondOf = (ms: number): number => Math.floor(ms / 1_000);
