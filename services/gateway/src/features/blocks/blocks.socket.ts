import { userBlock } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { inOrder } from '../../platform/sockets/in-order.ts';
import { setBlock } from './blocks.ts';

export const blockHandlers: SocketHandler<Context>[] = [
  handle(userBlock, (ctx, { actor, socket }, input) => inOrder(socket, () => setBlock(ctx, actor, input))),
];
