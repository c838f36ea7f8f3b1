import { messageDelete, messageEdit, messageHistory, messageReact, messageSend } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { applyChange } from './change.ts';
import { getHistory } from './history.ts';
import { sendMessage } from './send.ts';

export const messageHandlers: SocketHandler<Context>[] = [
  handle(messageEdit, (ctx, request, { content, ...target }) =>
    applyChange(ctx, request, target, { kind: 'edit', content }),
  ),
  handle(messageDelete, (ctx, request, target) => applyChange(ctx, request, target, { kind: 'delete' })),
  handle(messageReact, (ctx, request, { emoji, on, ...target }) =>
    applyChange(ctx, request, target, { kind: 'react', emoji, on }),
  ),
  handle(messageSend, (ctx, { actor, socket }, input) => sendMessage(ctx, actor, input, socket)),
  handle(messageHistory, (ctx, { actor }, input) => getHistory(ctx, actor, input)),
];
