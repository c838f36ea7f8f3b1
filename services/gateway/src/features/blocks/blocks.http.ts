import { blocksGet, userBlockDelete, userBlockPut } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getBlocks, setBlock } from './blocks.ts';

export const blockRoutes: Route<Context>[] = [
  route(userBlockPut, async ({ ctx, actor, params }) => {
    await setBlock(ctx, actor, { userId: params.id, on: true });
  }),
  route(userBlockDelete, async ({ ctx, actor, params }) => {
    await setBlock(ctx, actor, { userId: params.id, on: false });
  }),
  route(blocksGet, ({ ctx, actor, query }) => getBlocks(ctx, actor, query)),
];
