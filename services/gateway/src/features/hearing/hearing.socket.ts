import { roomCreate, roomJoin, roomLeave } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { createRoom } from '../rooms/rooms.ts';
import { joinRoom, leaveRoom } from './join.ts';

export const hearingHandlers: SocketHandler<Context>[] = [
  handle(roomCreate, async (ctx, socket, input) => {
    const created = await createRoom(ctx, socket.data.identity, input);
    await ctx.fanout.hear(socket, created.room.id);
    return created;
  }),
  handle(roomJoin, (ctx, socket, { roomId, name, ...rest }) => {
    const target = roomId !== undefined ? { roomId } : { name, create: 'create' in rest ? rest.create : false };
    return joinRoom(ctx, socket.data.identity, { target, ...rest }, socket);
  }),
  handle(roomLeave, (ctx, socket, { roomId }) => leaveRoom(ctx, socket, roomId)),
];
