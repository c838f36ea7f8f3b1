import type { Context } from '../../context.ts';
import type { Head } from '../../delivery/room-stream.ts';
import type { SocketRequest } from '../../platform/sockets/handle.ts';

/**
 * Lets the socket of a request hear rooms from where the answer ends.
 *
 * The order matters: the streams hold the socket back before anything is read, and let it go on after the answer is on
 * its way; what is committed in between is kept for it.
 *
 * A membership can end meanwhile, after the page was read. Then the socket was evicted and told so, and nothing of the
 * room may follow: the page is thrown away, and everything is read again as it is now.
 *
 * @param read reads the pages, and puts down the head of each room that it gives a page of; a room without one is heard
 *   as before
 */
export async function hearAfterAnswer<Answer>(
  ctx: Context,
  { socket, afterAnswer }: SocketRequest,
  roomIds: readonly string[],
  read: (heads: Map<string, Head>) => Promise<Answer>,
): Promise<Answer> {
  let complete = (): void => {};
  afterAnswer(() => complete());
  for (;;) {
    const handOver = await ctx.streams.begin(socket, roomIds);
    const heads = new Map<string, Head>();
    complete = () => {
      complete = () => {};
      if (!socket.connected) ctx.streams.removeFromAll(socket);
      handOver.complete(heads);
      for (const roomId of heads.keys()) {
        if (!ctx.streams.hears(socket, roomId)) continue;
        ctx.fanout.hear(socket, roomId);
        ctx.typing.show(socket, roomId);
      }
    };
    try {
      const answer = await read(heads);
      if (!handOver.isEvicted) return answer;
    } catch (error) {
      heads.clear();
      throw error;
    }
    heads.clear();
    complete();
  }
}
