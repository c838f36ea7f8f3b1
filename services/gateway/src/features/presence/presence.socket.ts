import { presenceGet, presenceSet } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { inOrder } from '../../platform/sockets/in-order.ts';
import { getPresence, setPresence } from './status.ts';

export const presenceHandlers: SocketHandler<Context>[] = [
  handle(presenceSet, (ctx, { socket, actor }, input) => inOrder(socket, () => setPresence(ctx, actor, input, socket))),
  handle(presenceGet, (ctx, { actor }, { userIds }) => getPresence(ctx, actor, userIds)),
];
