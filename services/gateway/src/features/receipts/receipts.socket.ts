import { messageRead, messageReaders } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { getReaders, readUpTo } from './receipts.ts';

export const receiptHandlers: SocketHandler<Context>[] = [
  handle(messageRead, (ctx, { actor, socket }, input) => readUpTo(ctx, actor, input, socket)),
  handle(messageReaders, (ctx, { actor }, input) => getReaders(ctx, actor, input)),
];
