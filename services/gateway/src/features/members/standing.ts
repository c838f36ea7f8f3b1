import type { MemberRole } from '@parley/database';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { writeAudit } from '../audit/audit.ts';
import { loadTarget, underLock, type Target } from './act.ts';
import { countOwners, setMuted, setRole } from './members.sql.ts';

/** @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN`, `CONFLICT` when the only owner would be none any more */
export async function changeRole(
  ctx: Context,
  actor: Identity,
  { roomId, userId, role }: Target & { role: MemberRole },
): Promise<Record<string, never>> {
  await underLock(ctx, actor, { roomId, act: 'role' }, async (trx, room) => {
    const target = await loadTarget(trx, room, userId);
    if (target.role === role) return;
    if (target.role === 'owner' && (await countOwners(trx, roomId)) === 1) {
      throw new ChatError('CONFLICT', { message: 'A room keeps at least one owner' });
    }
    await setRole(trx, roomId, userId, role);
    await writeAudit(trx, {
      roomId,
      actorId: actor.user.id,
      act: 'member:role',
      targetId: userId,
      details: { role, before: target.role },
    });
  });
  return {};
}

/**
 * Keeps a member from sending and editing. It holds from the answer on: the commit of a message looks it up.
 *
 * @param input `forMs`: from now; 0 lifts it, and the mute of `MUTE_AFTER` as well
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN`
 */
export async function muteMember(
  ctx: Context,
  actor: Identity,
  { roomId, userId, forMs }: Target & { forMs: number },
): Promise<Record<string, never>> {
  await underLock(ctx, actor, { roomId, act: 'mute' }, async (trx, room) => {
    const target = await loadTarget(trx, room, userId);
    if (forMs === 0 && target.muted_until === null) return;
    await setMuted(trx, roomId, userId, forMs);
    await writeAudit(trx, { roomId, actorId: actor.user.id, act: 'member:mute', targetId: userId, details: { forMs } });
  });
  if (forMs === 0) await ctx.limits.unmute(userId, roomId);
  return {};
}
