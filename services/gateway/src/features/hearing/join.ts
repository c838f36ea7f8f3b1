import type { JoinedRoom, RoomCursor } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { catchUp, newestPage } from '../messages/catch-up.ts';
import { accessRoom } from '../rooms/access.ts';
import { membersPage } from '../rooms/members.ts';
import { becomeMember, roomIdByName } from '../rooms/membership.ts';
import { toRooms } from '../rooms/view.ts';

/** The newest page that a catch-up falls back to. */
const NEWEST_PAGE = 50;

export interface JoinInput {
  target: { roomId: string } | { name: string; create: boolean };
  history: number;
  cursor?: RoomCursor;
}

/**
 * Makes one a member of a public room if one is not yet, lets the socket hear the room, and answers with the stream up
 * to `room.headSeq`.
 *
 * The order matters: the socket hears the room before the head is read, so that nothing falls in between.
 *
 * @param socket absent for REST, which hears nothing
 * @throws ChatError `NOT_FOUND`, `FORBIDDEN` when banned
 */
export async function joinRoom(
  ctx: Context,
  actor: Identity,
  input: JoinInput,
  socket?: ChatSocket,
): Promise<JoinedRoom> {
  const roomId = 'roomId' in input.target ? input.target.roomId : await roomIdByName(ctx, actor, input.target);
  await becomeMember(ctx, actor, roomId);
  if (socket) await ctx.fanout.hear(socket, roomId);
  const row = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  const [caughtUp, page, [room]] = await Promise.all([
    input.cursor ? catchUp(ctx, row, input.cursor, NEWEST_PAGE) : newestPage(ctx, row, input.history),
    membersPage(ctx, roomId),
    toRooms(ctx, [row]),
  ]);
  if (!room) throw new ChatError('NOT_FOUND');
  return { room, ...page, online: room.onlineCount, ...caughtUp };
}

/** Stops hearing a room. @throws ChatError `NOT_FOUND` for a room one may not know of */
export async function leaveRoom(ctx: Context, socket: ChatSocket, roomId: string): Promise<Record<string, never>> {
  if (ctx.fanout.hears(socket, roomId)) ctx.fanout.unhear(socket, roomId);
  else await accessRoom(ctx, socket.data.identity, { roomId, to: 'see' });
  return {};
}
