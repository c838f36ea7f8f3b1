import { isUniqueViolation } from '@parley/database';
import { roomNameKey, roomUpdatedEvent, type Room } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { writeAudit } from '../audit/audit.ts';
import { accessRoom, accessRoomLocked, type LockedRoom } from './access.ts';
import { getRoom, NAME_TAKEN } from './rooms.ts';
import { updateRoom } from './rooms.sql.ts';

export interface RoomChanges {
  name?: string;
  /** Empty removes it. */
  topic?: string;
  membersCanInvite?: boolean;
}

/**
 * Changes a room. Everybody who hears it is told, unless it was so already.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN` for others than owners and for direct rooms, `CONFLICT` when
 *   a public room has that name
 */
export async function changeRoom(
  ctx: Context,
  actor: Identity,
  roomId: string,
  wanted: RoomChanges,
): Promise<{ room: Room }> {
  requireOwner(await accessRoom(ctx, actor, { roomId, to: 'take part' }));
  const isChanged = await change(ctx, actor, roomId, wanted);
  const answer = await getRoom(ctx, actor, roomId);
  if (isChanged) {
    const { me: _mine, ...room } = answer.room;
    ctx.fanout.toRoom(roomId, roomUpdatedEvent, { room });
  }
  return answer;
}

async function change(ctx: Context, actor: Identity, roomId: string, wanted: RoomChanges): Promise<boolean> {
  try {
    return await ctx.db.transaction().execute(async (trx) => {
      const room = await accessRoomLocked(trx, actor, { roomId, to: 'take part' });
      requireOwner(room);
      const changes = differences(room, wanted);
      if (Object.keys(changes).length === 0) return false;
      const { name, topic, membersCanInvite } = changes;
      await updateRoom(trx, roomId, {
        ...(name !== undefined && { name, name_key: roomNameKey(name) }),
        ...(topic !== undefined && { topic: topic || null }),
        ...(membersCanInvite !== undefined && { members_can_invite: membersCanInvite }),
      });
      await writeAudit(trx, { roomId, actorId: actor.user.id, act: 'room:change', details: { ...changes } });
      return true;
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new ChatError('CONFLICT', { message: NAME_TAKEN });
    throw error;
  }
}

function requireOwner(room: Pick<LockedRoom, 'kind' | 'my_role'>): void {
  if (room.kind === 'direct') throw new ChatError('FORBIDDEN', { message: 'A direct room can not be changed' });
  if (room.my_role !== 'owner') throw new ChatError('FORBIDDEN', { message: 'For owners of the room' });
}

/** What of the wish is not so already. */
function differences(room: LockedRoom, { name, topic, membersCanInvite }: RoomChanges): RoomChanges {
  return {
    ...(name !== undefined && name !== room.name && { name }),
    ...(topic !== undefined && topic !== (room.topic ?? '') && { topic }),
    ...(membersCanInvite !== undefined && membersCanInvite !== room.members_can_invite && { membersCanInvite }),
  };
}
