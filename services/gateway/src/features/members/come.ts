import { roomAddedEvent } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { tellUser } from '../../platform/peers/tell-user.ts';
import { writeAudit } from '../audit/audit.ts';
import { memberCame } from '../presence/status.ts';
import { findRoomOfMember } from '../rooms/rooms.ts';
import { requireUser } from '../users/users.ts';
import { underLock, type Target } from './act.ts';
import { enterRoom, insertMember, isBanned, type RoomKey } from './members.sql.ts';

/**
 * Makes the actor a member of a public room. Nothing happens for a member. Who comes into a deserted room owns it, since
 * a room keeps at least one owner.
 *
 * @returns the room, and whether it became one
 * @throws ChatError `NOT_FOUND`, `FORBIDDEN` when banned
 */
export async function becomeMember(
  ctx: Context,
  actor: Identity,
  key: RoomKey,
): Promise<{ roomId: string; isNew: boolean }> {
  const entered = await enterRoom(ctx.db, key, actor.user.id);
  if (!entered || entered.outcome === 'not_found') throw new ChatError('NOT_FOUND');
  if (entered.outcome === 'banned') throw banned();
  const { room_id: roomId } = entered;
  const isNew = entered.outcome === 'joined';
  if (isNew) await memberCame(ctx, roomId, actor.user.id);
  return { roomId, isNew };
}

/** What a refused join is answered with: that a ban is why, if one is, for private rooms too. */
export async function whyNotIn(ctx: Context, actor: Identity, roomId: string, refusal: unknown): Promise<unknown> {
  if (!(refusal instanceof ChatError) || !['NOT_FOUND', 'NOT_A_MEMBER'].includes(refusal.code)) return refusal;
  return (await isBanned(ctx.db, roomId, actor.user.id)) ? banned() : refusal;
}

/**
 * Makes somebody else a member, and tells all its devices. Nothing happens for a member.
 *
 * @throws ChatError `NOT_FOUND` (the user, too), `NOT_A_MEMBER`, `FORBIDDEN`, also while the user is banned, whoever asks
 */
export async function addMember(
  ctx: Context,
  actor: Identity,
  { roomId, userId }: Target,
): Promise<Record<string, never>> {
  const isNew = await underLock(ctx, actor, { roomId, act: 'add' }, async (trx, room) => {
    await requireUser({ db: trx }, userId);
    if (await isBanned(trx, roomId, userId)) throw banned();
    const inserted = await insertMember(trx, { roomId, userId, role: 'member', lastReadSeq: room.head_seq });
    if (inserted) await writeAudit(trx, { roomId, actorId: actor.user.id, act: 'member:add', targetId: userId });
    return inserted;
  });
  if (isNew) {
    await memberCame(ctx, roomId, userId);
    await tellAdded(ctx, { roomId, userId });
  }
  return {};
}

/**
 * Tells all devices of a new member about the room. The membership is committed: failing to tell does not undo it, and
 * the room is in the user's list.
 */
export async function tellAdded(ctx: Context, { roomId, userId }: Target): Promise<void> {
  try {
    const room = await findRoomOfMember(ctx, userId, roomId);
    if (room) tellUser(ctx, userId, roomAddedEvent, { room });
  } catch (error) {
    ctx.log.warn({ err: error, roomId, userId }, 'a new member was not told');
  }
}

function banned(): ChatError {
  return new ChatError('FORBIDDEN', { message: 'Banned from this room' });
}
