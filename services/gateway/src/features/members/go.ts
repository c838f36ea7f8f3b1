import type { Database } from '@parley/database';
import type { Transaction } from 'kysely';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { writeAudit } from '../audit/audit.ts';
import { evict } from '../hearing/evict.ts';
import { memberWent } from '../presence/status.ts';
import { requireUser } from '../users/users.ts';
import { findTarget, loadTarget, underLock, type Target } from './act.ts';
import { countOwners, deleteBan, deleteMember, findHeir, insertBan, setRole } from './members.sql.ts';

/**
 * Ends somebody's membership; of oneself it is leaving for good. Resolves when none of the user's sockets hears the room
 * any more, at whichever gateway.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN`
 */
export async function removeMember(
  ctx: Context,
  actor: Identity,
  { roomId, userId }: Target,
): Promise<Record<string, never>> {
  if (userId === actor.user.id) return leaveForGood(ctx, actor, roomId);
  await underLock(ctx, actor, { roomId, act: 'remove' }, async (trx, room) => {
    await loadTarget(trx, room, userId);
    await deleteMember(trx, roomId, userId);
    await writeAudit(trx, { roomId, actorId: actor.user.id, act: 'member:remove', targetId: userId });
  });
  await Promise.all([memberWent(ctx, roomId, userId), evict(ctx, { roomId, userId, reason: 'removed' })]);
  return {};
}

/**
 * Ends one's own membership. A room keeps at least one owner: the last one passes it on.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN` for direct rooms
 */
export async function leaveForGood(ctx: Context, actor: Identity, roomId: string): Promise<Record<string, never>> {
  const { id: userId } = actor.user;
  await underLock(ctx, actor, { roomId, act: 'leave' }, async (trx, room) => {
    await deleteMember(trx, roomId, userId);
    await writeAudit(trx, { roomId, actorId: userId, act: 'member:leave', targetId: userId });
    if (room.my_role === 'owner') await passOn(trx, roomId, userId);
  });
  await Promise.all([memberWent(ctx, roomId, userId), evict(ctx, { roomId, userId, reason: 'left' })]);
  return {};
}

async function passOn(trx: Transaction<Database>, roomId: string, leaverId: string): Promise<void> {
  if ((await countOwners(trx, roomId)) > 0) return;
  const heirId = await findHeir(trx, roomId);
  if (heirId === undefined) return; // deserted
  await setRole(trx, roomId, heirId, 'owner');
  await writeAudit(trx, {
    roomId,
    actorId: leaverId,
    act: 'member:role',
    targetId: heirId,
    details: { role: 'owner', because: 'the last owner left' },
  });
}

/**
 * Keeps somebody out, member or not, until the ban is lifted. Resolves when none of the user's sockets hears the room any
 * more, at whichever gateway. Nothing happens when it is so already.
 *
 * @throws ChatError `NOT_FOUND` (the user, too), `NOT_A_MEMBER`, `FORBIDDEN`, `VALIDATION_ERROR` for oneself
 */
export async function banMember(
  ctx: Context,
  actor: Identity,
  { roomId, userId, on, reason }: Target & { on: boolean; reason?: string },
): Promise<Record<string, never>> {
  if (userId === actor.user.id) {
    throw new ChatError('VALIDATION_ERROR', { details: [{ path: 'userId', message: 'is oneself' }] });
  }
  const audited = { roomId, actorId: actor.user.id, targetId: userId };
  if (!on) {
    await underLock(ctx, actor, { roomId, act: 'ban' }, async (trx) => {
      await requireUser({ db: trx }, userId);
      if (await deleteBan(trx, roomId, userId)) await writeAudit(trx, { ...audited, act: 'member:unban' });
    });
    return {};
  }
  const wasMember = await underLock(ctx, actor, { roomId, act: 'ban' }, async (trx, room) => {
    await requireUser({ db: trx }, userId);
    const member = await findTarget(trx, room, userId);
    if (member) await deleteMember(trx, roomId, userId);
    const ban = { roomId, userId, bannedBy: actor.user.id, reason: reason || null };
    if (await insertBan(trx, ban)) {
      await writeAudit(trx, { ...audited, act: 'member:ban', details: reason ? { reason } : {} });
    }
    return member !== undefined;
  });
  // Also for who was banned before: it may be a retry after an answer that was lost.
  await Promise.all([
    memberWent(ctx, roomId, userId),
    evict(ctx, { roomId, userId, ...(wasMember && { reason: 'banned' }) }),
  ]);
  return {};
}
