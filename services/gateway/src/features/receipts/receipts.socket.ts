import { messageRead, messageReaders } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { openReadNews } from './read-news.ts';
import { getReaders, readUpTo } from './receipts.ts';

export interface Receipts {
  handlers: SocketHandler<Context>[];
  stop(): void;
}

export function openReceipts(ctx: Context): Receipts {
  const news = openReadNews(ctx);
  return {
    handlers: [
      handle(messageRead, (_ctx, { actor, socket }, input) =>
        readUpTo(ctx, actor, input, (reading) => news.moved(reading, socket.id)),
      ),
      handle(messageReaders, (_ctx, { actor }, input) => getReaders(ctx, actor, input)),
    ],
    stop: () => news.stop(),
  };
}
