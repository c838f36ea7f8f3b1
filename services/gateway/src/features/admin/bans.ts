import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { writeAudit } from '../audit/audit.ts';
import { askEnded } from '../auth/endings.ts';
import { endAllSessions } from '../auth/sessions.ts';
import { banUser, unbanUser } from './bans.sql.ts';

/**
 * Bans a user from the whole deployment, or lifts that. A ban is done when it returns: its sockets are ended at all
 * gateways that can be reached, so that it may be lifted at once.
 *
 * @param actor an operator; the route asks for the role
 * @throws ChatError `NOT_FOUND`
 */
export async function setBan(ctx: Context, actor: Identity, input: { userId: string; on: boolean }): Promise<void> {
  const { userId, on } = input;
  const isNews = await ctx.db.transaction().execute(async (trx) => {
    const changed = await (on ? banUser(trx, userId) : unbanUser(trx, userId));
    if (on && changed !== undefined) await endAllSessions(trx, userId);
    const act = on ? 'user:ban' : 'user:unban';
    if (changed) await writeAudit(trx, { actorId: actor.user.id, act, targetId: userId });
    return changed;
  });
  if (isNews === undefined) throw new ChatError('NOT_FOUND');
  if (isNews) ctx.log.info({ actorId: actor.user.id, targetId: userId, on }, 'an operator changed a ban');
  if (on && !(await askEnded(ctx, userId))) ctx.log.warn({ targetId: userId }, 'not all gateways have heard of a ban');
}
