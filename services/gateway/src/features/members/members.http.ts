import { roomLeaveDelete } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { leaveForGood } from './go.ts';

export const memberRoutes: Route<Context>[] = [
  route(roomLeaveDelete, async ({ ctx, actor, params }) => {
    await leaveForGood(ctx, actor, params.id);
  }),
];
