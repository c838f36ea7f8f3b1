import { dropUnread, unreadBytes, type Backlog } from './backlog.ts';
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
const MAX_UNREAD_PACKETS = 5_000;

/** Whether the client should read before it asks for more. */
export function hasEnoughUnread({ conn }: ChatSocket): boolean {
  return unreadBytes(conn as unknown as Backlog) >= ENOUGH_UNREAD_BYTES;
}

/**
 * Ends a session that leaves too much unread. To be called after what can be large was written.
 *
 * All that is not on its way yet is dropped, so that the last word comes right behind what the client was already on its
 * way to read, and costs next to nothing to keep. It is kept as long as the heartbeat lets a silent client live.
 */
export function boundUnread(socket: ChatSocket): void {
  if (socket.data.isEnded) return;
  const backlog = socket.conn as unknown as Backlog;
  const isPolling = socket.conn.transport.name === 'polling';
  const isCrowded = isPolling && backlog.writeBuffer.length >= MAX_UNREAD_PACKETS;
  if (!isCrowded && unreadBytes(backlog) < MAX_UNREAD_BYTES) return;
  dropUnread(backlog);
  endSession(socket, 'SLOW_CONSUMER', 'Reads too slowly for what it hears');
}
