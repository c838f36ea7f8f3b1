import { isUniqueViolation } from '@parley/database';
import { roomNameKey, roomUpdatedEvent, type Room, type WordFilter } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { writeAudit } from '../audit/audit.ts';
import { setRoomWords } from '../content/room-words.ts';
import { accessRoom, accessRoomLocked, type LockedRoom } from './access.ts';
import { getRoom, NAME_TAKEN } from './rooms.ts';
import { updateRoom } from './rooms.sql.ts';

export interface RoomChanges {
  name?: string;
  /** Empty removes it. */
  topic?: string;
  membersCanInvite?: boolean;
  /** The least time between two messages of a plain member, ms; 0: none. */
  slowModeMs?: number;
  /** Replaces the room's own rule about words. */
  wordFilter?: WordFilter;
}

/**
 * Changes a room. Everybody who hears it is told, unless it was so already. A new rule about words holds at all gateways
 * when this resolves.
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
  const changes = await change(ctx, actor, roomId, wanted);
  if (changes.wordFilter) await ctx.content.ofRooms.changed(roomId);
  const answer = await getRoom(ctx, actor, roomId);
  if (Object.keys(changes).length > 0) {
    const { me: _mine, ...room } = answer.room;
    ctx.fanout.toRoom(roomId, roomUpdatedEvent, { room });
  }
  return answer;
}

async function change(ctx: Context, actor: Identity, roomId: string, wanted: RoomChanges): Promise<RoomChanges> {
  try {
    return await ctx.db.transaction().execute(async (trx) => {
      const room = await accessRoomLocked(trx, actor, roomId);
      requireOwner(room);
      const changes = differences(room, wanted);
      const { wordFilter } = wanted;
      if (wordFilter && (await setRoomWords(trx, roomId, wordFilter))) changes.wordFilter = wordFilter;
      if (Object.keys(changes).length === 0) return changes;
      const { name, topic, membersCanInvite, slowModeMs } = changes;
      await updateRoom(trx, roomId, {
        ...(name !== undefined && { name, name_key: roomNameKey(name) }),
        ...(topic !== undefined && { topic: topic || null }),
        ...(membersCanInvite !== undefined && { members_can_invite: membersCanInvite }),
        ...(slowModeMs !== undefined && { slow_mode_ms: slowModeMs }),
      });
      await writeAudit(trx, { roomId, actorId: actor.user.id, act: 'room:change', details: { ...changes } });
      return changes;
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
function differences(room: LockedRoom, { name, topic, membersCanInvite, slowModeMs }: RoomChanges): RoomChanges {
  return {
    ...(name !== undefined && name !== room.name && { name }),
    ...(topic !== undefined && topic !== (room.topic ?? '') && { topic }),
    ...(membersCanInvite !== undefined && membersCanInvite !== room.members_can_invite && { membersCanInvite }),
    ...(slowModeMs !== undefined && slowModeMs !== room.slow_mode_ms && { slowModeMs }),
  };
}
