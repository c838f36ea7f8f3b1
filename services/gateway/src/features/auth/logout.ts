import type { Context } from '../../context.ts';
import type { Identity } from '../../platform/identity.ts';
import { tellEnded } from './endings.ts';
import { endCredentials, endSessionRow, insertRevokedToken } from './sessions.sql.ts';

/** Ends the session of the token, or, of one that an application signed, the token itself. */
export async function logout(ctx: Context, actor: Identity): Promise<void> {
  if (actor.sessionId === undefined) await revoke(ctx, actor);
  else await endSessionRow(ctx.db, actor.sessionId);
  tellEnded(ctx, actor.user.id);
}

/** Ends all sessions of the user, and the tokens that an application has signed for it so far. */
export async function logoutAll(ctx: Context, actor: Identity): Promise<void> {
  await revoke(ctx, actor); // without `iat` a token is not older or newer than anything
  await ctx.db.transaction().execute((trx) => endCredentials(trx, actor.user.id));
  tellEnded(ctx, actor.user.id);
}

async function revoke({ db }: Context, { user, tokenId, expiresAt }: Identity): Promise<void> {
  if (tokenId === undefined) return;
  await insertRevokedToken(db, { id: tokenId, userId: user.id, expiresAt: new Date(expiresAt) });
}
