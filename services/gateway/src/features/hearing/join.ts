import { roomAddedEvent, type JoinedRoom, type RoomCursor } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { tellUser } from '../../platform/peers/tell-user.ts';
import type { SocketRequest } from '../../platform/sockets/handle.ts';
import { catchUp, newestPage } from '../messages/catch-up.ts';
import { becomeMember, whyNotIn } from '../members/come.ts';
import { accessRoom } from '../rooms/access.ts';
import { membersPage } from '../rooms/members.ts';
import { roomIdByName } from '../rooms/by-name.ts';
import { toRooms } from '../rooms/view.ts';
import { hearAfterAnswer } from './hand-over.ts';

/** Of joining a room by its name. */
const MOST_TRIES = 3;

export interface JoinInput {
  target: { roomId: string } | { name: string; create: boolean };
  history: number;
  cursor?: RoomCursor;
}

/**
 * Makes one a member of a public room if one is not yet, and answers with its stream up to `room.headSeq` and
 * `room.headRev`. The socket hears what comes after them once it has the answer. All devices of a new member are told
 * of the room.
 *
 * @param request absent for REST, which hears nothing
 * @throws ChatError `NOT_FOUND`, `FORBIDDEN` when banned, `RATE_LIMITED`
 */
export async function joinRoom(
  ctx: Context,
  actor: Identity,
  input: JoinInput,
  request?: SocketRequest,
): Promise<JoinedRoom> {
  await ctx.limits.requireJoin(actor.user.id);
  const { roomId, isNew } = await enter(ctx, actor, input.target);
  try {
    const joined = await (request
      ? hearAfterAnswer(ctx, request, [roomId], async (heads) => {
          const read = await readRoom(ctx, actor, roomId, input);
          heads.set(roomId, { seq: read.room.headSeq, rev: read.room.headRev });
          return read;
        })
      : readRoom(ctx, actor, roomId, input));
    if (isNew) tellUser(ctx, actor.user.id, roomAddedEvent, { room: joined.room });
    return joined;
  } catch (error) {
    throw await whyNotIn(ctx, actor, roomId, error);
  }
}

/**
 * Finds or makes the room, and becomes a member. A room that is found by its name may be removed before one is a member,
 * since it is empty: then there is none of that name, and it is made after all.
 */
async function enter(
  ctx: Context,
  actor: Identity,
  target: JoinInput['target'],
): Promise<{ roomId: string; isNew: boolean }> {
  for (let tries = 1; ; tries += 1) {
    const roomId = 'roomId' in target ? target.roomId : await roomIdByName(ctx, actor, target);
    try {
      return { roomId, isNew: await becomeMember(ctx, actor, roomId) };
    } catch (error) {
      const isGone = error instanceof ChatError && error.code === 'NOT_FOUND';
      const mayMake = 'name' in target && target.create;
      if (!isGone || !mayMake || tries === MOST_TRIES) throw await whyNotIn(ctx, actor, roomId, error);
    }
  }
}

async function readRoom(
  ctx: Context,
  actor: Identity,
  roomId: string,
  { cursor, history }: Pick<JoinInput, 'cursor' | 'history'>,
): Promise<JoinedRoom> {
  const row = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  const [caughtUp, page, [room]] = await Promise.all([
    cursor
      ? catchUp(ctx, [row], new Map([[row.id, cursor]])).then(([missed]) => missed)
      : newestPage(ctx, row, history),
    membersPage(ctx, roomId),
    toRooms(ctx, actor.user.id, [row]),
  ]);
  if (!room || !caughtUp) throw new ChatError('NOT_FOUND');
  return { room, ...page, online: room.onlineCount, ...caughtUp };
}

/** Stops hearing a room. @throws ChatError `NOT_FOUND` for a room one may not know of */
export async function leaveRoom(
  ctx: Context,
  { socket, actor }: SocketRequest,
  roomId: string,
): Promise<Record<string, never>> {
  const heard = ctx.streams.hears(socket, roomId);
  ctx.streams.remove(socket, roomId);
  ctx.fanout.unhear(socket, roomId);
  ctx.typing.ended(socket, roomId);
  if (!heard) await accessRoom(ctx, actor, { roomId, to: 'see' });
  return {};
}
