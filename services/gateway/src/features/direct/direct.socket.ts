import { directOpen } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { openDirect } from './direct.ts';

export const directHandlers: SocketHandler<Context>[] = [
  handle(directOpen, (ctx, { actor }, input) => openDirect(ctx, actor, input)),
];
