import type { Database } from '@parley/database';
import type { Transaction } from 'kysely';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { accessRoom, accessRoomLocked, type LockedRoom } from '../rooms/access.ts';
import { findMember, type Member } from './members.sql.ts';
import { mayAct, mayTouch, type MemberAct } from './rules.ts';

/** Whom something is done to, and where. */
export interface Target {
  roomId: string;
  userId: string;
}

/**
 * Runs an act in a transaction that holds the room's lock, so that acts, joins and sends of a room come one after
 * another, and the rules are asked of what is true at that moment.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN`
 */
export async function underLock<T>(
  ctx: Context,
  actor: Identity,
  { roomId, act }: { roomId: string; act: MemberAct | 'leave' },
  run: (trx: Transaction<Database>, room: LockedRoom) => Promise<T>,
): Promise<T> {
  await accessRoom(ctx, actor, { roomId, to: 'take part' });
  return ctx.db.transaction().execute(async (trx) => {
    const room = await accessRoomLocked(trx, actor, roomId);
    if (room.kind === 'direct')
      throw new ChatError('FORBIDDEN', { message: 'Nobody comes to or leaves a direct room' });
    if (act !== 'leave' && !mayAct(room, act)) throw notYours();
    return run(trx, room);
  });
}

/** The member that is meant, if the actor may touch it. @throws ChatError `NOT_FOUND`, `FORBIDDEN` */
export async function loadTarget(trx: Transaction<Database>, room: LockedRoom, userId: string): Promise<Member> {
  const target = await findTarget(trx, room, userId);
  if (!target) throw new ChatError('NOT_FOUND', { message: 'There is no such member' });
  return target;
}

/** The same for who need not be a member. @throws ChatError `FORBIDDEN` */
export async function findTarget(
  trx: Transaction<Database>,
  room: LockedRoom,
  userId: string,
): Promise<Member | undefined> {
  const target = await findMember(trx, room.id, userId);
  if (target && !mayTouch(room, target.role)) throw notYours();
  return target;
}

function notYours(): ChatError {
  return new ChatError('FORBIDDEN', { message: 'Your role in this room does not allow it' });
}
