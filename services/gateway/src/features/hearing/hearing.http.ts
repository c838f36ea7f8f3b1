import { roomJoinPost } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { joinRoom } from './join.ts';

export const hearingRoutes: Route<Context>[] = [
  route(roomJoinPost, ({ ctx, actor, params, body }) =>
    joinRoom(ctx, actor, { target: { roomId: params.id }, ...body }),
  ),
];
