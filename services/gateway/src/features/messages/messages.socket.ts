import { messageHistory, messageSend } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { getHistory } from './history.ts';
import { sendMessage } from './send.ts';

export const messageHandlers: SocketHandler<Context>[] = [
  handle(messageSend, (ctx, { actor, socket }, input) => sendMessage(ctx, actor, input, socket)),
  handle(messageHistory, (ctx, { actor }, input) => getHistory(ctx, actor, input)),
];
