import { roomList, roomMembers } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { getMembers } from './members.ts';
import { getRooms } from './rooms.ts';

export const roomHandlers: SocketHandler<Context>[] = [
  handle(roomList, (ctx, { actor }, input) => getRooms(ctx, actor, input)),
  handle(roomMembers, (ctx, { actor }, input) => getMembers(ctx, actor, input)),
];
