import { roomGet, roomMembersGet, roomPatch, roomsGet, roomsPost } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { changeRoom } from './change.ts';
import { getMembers } from './members.ts';
import { createRoom, getRoom, getRooms } from './rooms.ts';

export const roomRoutes: Route<Context>[] = [
  route(roomsGet, ({ ctx, actor, query }) => getRooms(ctx, actor, query)),
  route(roomsPost, ({ ctx, actor, body }) => createRoom(ctx, actor, body)),
  route(roomGet, ({ ctx, actor, params }) => getRoom(ctx, actor, params.id)),
  route(roomPatch, ({ ctx, actor, params, body }) => changeRoom(ctx, actor, params.id, body)),
  route(roomMembersGet, ({ ctx, actor, params, query }) => getMembers(ctx, actor, { roomId: params.id, ...query })),
];
