import { roomCreate, roomJoin, roomLeave, roomsSync } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler, type SocketRequest } from '../../platform/sockets/handle.ts';
import { createRoom, getRoom } from '../rooms/rooms.ts';
import { hearAfterAnswer } from './hand-over.ts';
import { joinRoom, leaveRoom } from './join.ts';
import { syncRooms } from './sync.ts';

export const hearingHandlers: SocketHandler<Context>[] = [
  handle(roomCreate, async (ctx, request, input) => {
    const { id } = (await createRoom(ctx, request.actor, input)).room;
    return hearAfterAnswer(ctx, request, [id], async (heads) => {
      const created = await getRoom(ctx, request.actor, id); // somebody may have joined and spoken already
      heads.set(id, { seq: created.room.headSeq, rev: created.room.headRev });
      return created;
    });
  }),
  handle(roomJoin, (ctx, request, { roomId, name, ...rest }) => {
    const target = roomId !== undefined ? { roomId } : { name, create: 'create' in rest ? rest.create : false };
    return inTurn(ctx, request, () => joinRoom(ctx, request.actor, { target, ...rest }, request));
  }),
  handle(roomLeave, (ctx, request, { roomId }) => leaveRoom(ctx, request, roomId)),
  handle(roomsSync, (ctx, request, input) => inTurn(ctx, request, () => syncRooms(ctx, request, input))),
];

function inTurn<T>(ctx: Context, { socket }: SocketRequest, work: () => Promise<T>): Promise<T> {
  return ctx.arrivals.inTurn(() => socket.connected, work);
}
