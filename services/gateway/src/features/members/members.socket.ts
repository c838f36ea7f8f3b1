import { memberAdd, memberBan, memberMute, memberRemove, memberRole } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler } from '../../platform/sockets/handle.ts';
import { inOrder } from '../../platform/sockets/in-order.ts';
import { addMember } from './come.ts';
import { banMember, removeMember } from './go.ts';
import { changeRole, muteMember } from './standing.ts';

// Acts of one socket take effect in the order they were asked for: who bans and lifts the ban means both.

export const memberHandlers: SocketHandler<Context>[] = [
  handle(memberAdd, (ctx, { actor, socket }, input) => inOrder(socket, () => addMember(ctx, actor, input))),
  handle(memberRemove, (ctx, { actor, socket }, input) => inOrder(socket, () => removeMember(ctx, actor, input))),
  handle(memberRole, (ctx, { actor, socket }, input) => inOrder(socket, () => changeRole(ctx, actor, input))),
  handle(memberMute, (ctx, { actor, socket }, input) => inOrder(socket, () => muteMember(ctx, actor, input))),
  handle(memberBan, (ctx, { actor, socket }, input) => inOrder(socket, () => banMember(ctx, actor, input))),
];
