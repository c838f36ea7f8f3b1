import { roomAddedEvent, roomNameKey, type JoinedRoom, type RoomCursor } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { tellUser } from '../../platform/peers/tell-user.ts';
import type { SocketRequest } from '../../platform/sockets/handle.ts';
import { catchUp, newestPage } from '../messages/catch-up.ts';
import { becomeMember, whyNotIn } from '../members/come.ts';
import { accessRoom, accessRoomPage } from '../rooms/access.ts';
import { makePublicRoom } from '../rooms/by-name.ts';
import { MEMBERS_PAGE, toMembersPage } from '../rooms/members.ts';
import { toRooms } from '../rooms/view.ts';
import { hearAfterAnswer } from './hand-over.ts';

/** Of making a room that is joined by its name. */
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
  const { target } = input;
  // Who is known as a member is not asked for before the page is read: that asks as well.
  const isKnown = 'roomId' in target && ctx.presence.isMember(target.roomId, actor.user.id);
  const entered = isKnown ? { roomId: target.roomId, isNew: false } : await enter(ctx, actor, target);
  const { roomId } = entered;
  let { isNew } = entered;
  const read = async (): Promise<JoinedRoom> => {
    try {
      return await readRoom(ctx, actor, roomId, input);
    } catch (error) {
      if (!isKnown || !(error instanceof ChatError && error.code === 'NOT_A_MEMBER')) throw error;
      ({ isNew } = await becomeMember(ctx, actor, { roomId })); // it has ended, and this gateway was not told yet
      return readRoom(ctx, actor, roomId, input);
    }
  };
  try {
    const joined = await (request
      ? hearAfterAnswer(ctx, request, [roomId], async (heads) => {
          const page = await read();
          heads.set(roomId, { seq: page.room.headSeq, rev: page.room.headRev });
          return page;
        })
      : read());
    if (isNew) tellUser(ctx, actor.user.id, roomAddedEvent, { room: joined.room });
    return joined;
  } catch (error) {
    throw await whyNotIn(ctx, actor, roomId, error);
  }
}

/**
 * Finds or makes the room, and becomes a member. A room may be removed as soon as it is made, if nobody is in it any
 * more: then it is made again.
 */
async function enter(
  ctx: Context,
  actor: Identity,
  target: JoinInput['target'],
): Promise<{ roomId: string; isNew: boolean }> {
  if ('roomId' in target) {
    return becomeMember(ctx, actor, target).catch(async (error: unknown) => {
      throw await whyNotIn(ctx, actor, target.roomId, error);
    });
  }
  const { name, create } = target;
  for (let tries = 1; ; tries += 1) {
    try {
      return await becomeMember(ctx, actor, { nameKey: roomNameKey(name) });
    } catch (error) {
      const isGone = error instanceof ChatError && error.code === 'NOT_FOUND';
      if (!isGone || !create || tries > MOST_TRIES) throw error;
      await makePublicRoom(ctx, actor, name);
    }
  }
}

async function readRoom(
  ctx: Context,
  actor: Identity,
  roomId: string,
  { cursor, history }: Pick<JoinInput, 'cursor' | 'history'>,
): Promise<JoinedRoom> {
  const { room: row, members } = await accessRoomPage(ctx, actor, { roomId, to: 'take part' });
  const me = members.find((member) => member.id === actor.user.id);
  if (me) ctx.presence.seen(me);
  const [caughtUp, page, [room]] = await Promise.all([
    cursor
      ? catchUp(ctx, [row], new Map([[row.id, cursor]])).then(([missed]) => missed)
      : newestPage(ctx, row, history),
    toMembersPage(ctx, roomId, { rows: members, limit: MEMBERS_PAGE }),
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
