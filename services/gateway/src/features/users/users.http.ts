import { meGet, mePatch } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getMe, patchMe } from './users.ts';

export const userRoutes: Route<Context>[] = [
  route(meGet, ({ ctx, actor }) => getMe(ctx, actor)),
  route(mePatch, ({ ctx, actor, body }) => patchMe(ctx, actor, body)),
];
