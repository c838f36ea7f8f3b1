import { adminUserBan } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { setBan } from './bans.ts';

export const adminRoutes: Route<Context>[] = [
  route(adminUserBan, ({ ctx, actor, params, body }) => setBan(ctx, actor, { userId: params.id, on: body.on })),
];
