import type { Database } from '@parley/database';
import type { User } from '@parley/protocol';
import type { Transaction } from 'kysely';
import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { loadUser } from '../users/users.ts';
import { endSessionsOf, insertSession } from './sessions.sql.ts';
import type { Tokens } from './tokens.ts';

export const ACCESS_TTL_MS = 15 * 60_000;
export const REFRESH_TTL_MS = 30 * 86_400_000;

/** What a login hands out. The refresh token goes into a cookie only. */
export interface Login {
  accessToken: string;
  /** ms since the epoch */
  expiresAt: number;
  refreshToken: string;
}

export interface LoggedIn {
  user: User;
  login: Login;
}

interface Bearer {
  id: string;
  name: string;
  role: 'user' | 'admin';
}

/**
 * Opens a session and signs its first access token.
 *
 * @param account `passwordHash`: what its password was checked with, if it was a password
 * @throws ChatError `UNAUTHORIZED` when the user was banned, or the password changed, since it was looked at
 */
export async function openSession(
  ctx: Context,
  tokens: Tokens,
  account: Bearer & { passwordHash?: string | null },
): Promise<LoggedIn> {
  const sessionId = uuidv7();
  const refresh = newRefreshToken();
  const isOpen = await insertSession(ctx.db, {
    id: sessionId,
    userId: account.id,
    expiresAt: refresh.expiresAt,
    refreshTokenHash: refresh.hash,
    passwordHash: account.passwordHash,
  });
  if (!isOpen) throw new ChatError('UNAUTHORIZED', { message: 'Wrong username or password' });
  return handOut(ctx, tokens, { bearer: account, sessionId, refreshToken: refresh.token });
}

/** Ends all sessions of a user whose row the transaction has locked. Their sockets are told by `endings.ts`. */
export function endAllSessions(trx: Transaction<Database>, userId: string): Promise<void> {
  return endSessionsOf(trx, userId);
}

/** The answer of everything that logs one in. */
export async function handOut(
  ctx: Context,
  tokens: Tokens,
  { bearer, sessionId, refreshToken }: { bearer: Bearer; sessionId: string; refreshToken: string },
): Promise<LoggedIn> {
  const expiresAt = Date.now() + ACCESS_TTL_MS;
  const [user, accessToken] = await Promise.all([
    loadUser(ctx, bearer.id),
    tokens.issue({ userId: bearer.id, name: bearer.name, role: bearer.role, sessionId, expiresAt }),
  ]);
  return { user, login: { accessToken, expiresAt, refreshToken } };
}

/** Of a refresh token only the SHA-256 is stored: it has 256 random bits, so nothing slower is needed. */
export function hashRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

export function newRefreshToken(): { token: string; hash: Buffer; expiresAt: Date } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashRefreshToken(token), expiresAt: new Date(Date.now() + REFRESH_TTL_MS) };
}
