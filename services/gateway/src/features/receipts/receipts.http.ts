import { roomReadersGet } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getReaders } from './receipts.ts';

export const receiptRoutes: Route<Context>[] = [
  route(roomReadersGet, ({ ctx, actor, params, query }) =>
    getReaders(ctx, actor, { roomId: params.id, seq: params.seq, ...query }),
  ),
];
