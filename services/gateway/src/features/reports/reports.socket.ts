import { messageReport } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { reportMessage } from './reports.ts';

export const reportHandlers: SocketHandler<Context>[] = [
  handle(messageReport, (ctx, { actor }, input) => reportMessage(ctx, actor, input)),
];
