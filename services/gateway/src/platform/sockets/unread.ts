import { endSession } from './ending.ts';
import type { ChatSocket } from './types.ts';

/**
 * What a socket may leave unread, bytes. A session that leaves more is ended: nobody's slowness may cost memory. More
 * than the largest single answer, so that who reads is never ended by what it asked for.
 */
const MAX_UNREAD_BYTES = 16_000_000;
/** Above it nothing more is done for the socket until it has read, bytes. */
const ENOUGH_UNREAD_BYTES = 4_000_000;
/** Packets that may wait for the next poll of a long-polling client. */
const MAX_UNREAD_PACKETS = 2_000;
/** How long a client that does not read has for the word that its session has ended, ms. */
const LAST_WORD_MS = 1_000;

/** What of engine.io's sockets (6.6) tells how much is unread; none of it is in its types. */
interface Backlog {
  writeBuffer: { data?: unknown }[];
  transport: { socket?: { bufferedAmount: number; terminate(): void } };
}

/** Bytes that were written and not taken: by the kernel for a WebSocket, by a poll for long-polling. */
function unreadBytes({ writeBuffer, transport }: Backlog): number {
  let bytes = transport.socket?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) if (typeof data === 'string') bytes += data.length;
  return bytes;
}

/** Whether the client should read before it asks for more. */
export function hasEnoughUnread({ conn }: ChatSocket): boolean {
  return unreadBytes(conn as unknown as Backlog) >= ENOUGH_UNREAD_BYTES;
}

/** Ends a session that leaves too much unread. To be called after what can be large was written. */
export function boundUnread(socket: ChatSocket): void {
  if (socket.data.isEnded) return;
  const backlog = socket.conn as unknown as Backlog;
  if (backlog.writeBuffer.length < MAX_UNREAD_PACKETS && unreadBytes(backlog) < MAX_UNREAD_BYTES) return;
  endSession(socket, 'SLOW_CONSUMER', 'Reads too slowly for what it hears');
  // An orderly close waits until everything is read, which would be never.
  setTimeout(() => {
    socket.conn.close(true);
    backlog.transport.socket?.terminate();
  }, LAST_WORD_MS).unref();
}
