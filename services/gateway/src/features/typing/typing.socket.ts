import { typingStart, typingStop } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { handle, type SocketHandler, type SocketRequest } from '../../platform/sockets/handle.ts';
import { accessRoom } from '../rooms/access.ts';

export const typingHandlers: SocketHandler<Context>[] = [
  handle(typingStart, async (ctx, request, { roomId }) => {
    const decide = ctx.typing.starting(request.socket, roomId);
    let passes = false;
    try {
      await requireMember(ctx, request, roomId);
      passes = await ctx.limits.typing(request.actor.user.id, roomId);
    } finally {
      decide(passes);
    }
    return {};
  }),
  handle(typingStop, async (ctx, request, { roomId }) => {
    ctx.typing.ended(request.socket, roomId); // before anything is waited for: it must not be overtaken
    await requireMember(ctx, request, roomId);
    return {};
  }),
];

/** Whoever hears a room is a member; others have to be looked up. @throws ChatError `NOT_A_MEMBER`, `NOT_FOUND` */
async function requireMember(ctx: Context, { socket, actor }: SocketRequest, roomId: string): Promise<void> {
  if (!ctx.streams.hears(socket, roomId)) await accessRoom(ctx, actor, { roomId, to: 'take part' });
}
