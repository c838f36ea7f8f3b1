import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { tellEnded } from './endings.ts';
import { endReused, extendSession, hasExpired, useRefreshToken } from './refresh.sql.ts';
import { handOut, hashRefreshToken, newRefreshToken, type LoggedIn } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/**
 * Rotation with reuse detection (RFC 9700, section 4.14.2): a refresh token is good for once, and gives the next one.
 * One that comes a second time was stolen from its owner, or by its owner's thief; nobody can tell which, so the whole
 * session ends. There is no tolerance for two at the same moment: a thief would have it, too.
 *
 * @throws ChatError `TOKEN_EXPIRED` when the session has run out, `UNAUTHORIZED` for every other token
 */
export async function refresh(ctx: Context, tokens: Tokens, refreshToken: string): Promise<LoggedIn> {
  const used = hashRefreshToken(refreshToken);
  const next = newRefreshToken();
  const rotated = await ctx.db.transaction().execute(async (trx) => {
    const sessionId = await useRefreshToken(trx, used);
    if (sessionId === undefined) return undefined;
    const bearer = await extendSession(trx, sessionId, next);
    if (bearer) return { bearer, sessionId };
    throw new ChatError((await hasExpired(trx, sessionId)) ? 'TOKEN_EXPIRED' : 'UNAUTHORIZED');
  });
  if (rotated) return handOut(ctx, tokens, { ...rotated, refreshToken: next.token });

  const ended = await endReused(ctx.db, used);
  if (ended) {
    ctx.log.warn(ended, 'a refresh token was used twice: its session is ended');
    tellEnded(ctx, ended.userId);
  }
  throw new ChatError('UNAUTHORIZED');
}
