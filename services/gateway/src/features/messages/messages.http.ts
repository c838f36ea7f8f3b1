import { roomMessagesGet, roomMessagesPost } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getHistory } from './history.ts';
import { sendMessage } from './send.ts';

export const messageRoutes: Route<Context>[] = [
  route(roomMessagesGet, ({ ctx, actor, params, query }) => getHistory(ctx, actor, { roomId: params.id, ...query })),
  route(roomMessagesPost, async ({ ctx, actor, params, body, reply }) => {
    const sent = await sendMessage(ctx, actor, { roomId: params.id, ...body });
    if (sent.duplicate) reply.status(200);
    return sent;
  }),
];
