import { roomWordFilterGet } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getRoomWords } from './room-words.ts';

export const contentRoutes: Route<Context>[] = [
  route(roomWordFilterGet, ({ ctx, actor, params }) => getRoomWords(ctx, actor, params.id)),
];
