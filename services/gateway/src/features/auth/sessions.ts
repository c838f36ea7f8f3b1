import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import type { Tokens } from './tokens.ts';
import { insertSession } from './sessions.sql.ts';

export const ACCESS_TTL_MS = 15 * 60_000;
export const REFRESH_TTL_MS = 30 * 86_400_000;

/** What a login hands out. The refresh token goes into a cookie only. */
export interface Login {
  accessToken: string;
  /** ms since the epoch */
  expiresAt: number;
  refreshToken: string;
}

/** Opens a session and signs its first access token. Of a refresh token only the SHA-256 is stored. */
export async function openSession(
  ctx: Context,
  tokens: Tokens,
  user: { id: string; name: string; role: 'user' | 'admin' },
): Promise<Login> {
  const sessionId = uuidv7();
  const refreshToken = randomBytes(32).toString('base64url');
  await insertSession(ctx.db, {
    id: sessionId,
    userId: user.id,
    expiresAt: new Date(Date.now() + REFRESH_TTL_MS),
    refreshTokenHash: createHash('sha256').update(refreshToken).digest(),
  });
  const expiresAt = Date.now() + ACCESS_TTL_MS;
  const accessToken = await tokens.issue({ userId: user.id, name: user.name, role: user.role, sessionId, expiresAt });
  return { accessToken, expiresAt, refreshToken };
}
