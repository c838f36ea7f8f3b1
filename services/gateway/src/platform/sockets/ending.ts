import { sessionEndings, type SessionEndingCode } from '@parley/protocol';
import type { ChatSocket } from './types.ts';

/** How long a client has to act on a DISCONNECT before its transport is closed, ms. */
const HANG_UP_AFTER_MS = 1_000;

/**
 * Ends a session by the table of the protocol: tells the client why, then closes. Clients come back by themselves from
 * a transport that closes, and stay away after a DISCONNECT packet; so the code decides which of the two it is. Ending
 * it again does nothing.
 *
 * @param afterMs how long the client should stay away, when it can choose
 */
export function endSession(socket: ChatSocket, code: SessionEndingCode, message: string, afterMs?: number): void {
  if (socket.data.isEnded) return;
  socket.data.isEnded = true;
  const { reconnect } = sessionEndings[code];
  socket.emit('session:ended', { code, message, reconnect, ...(afterMs !== undefined && { afterMs }) });
  if (reconnect) hangUp(socket);
  else dismiss(socket);
}

/** Closes the transport as if the network had. */
function hangUp({ conn }: ChatSocket): void {
  if (conn.transport.name !== 'polling') {
    conn.close();
    return;
  }
  // An orderly close of long-polling ends with Engine.IO's close packet, after which Python's clients stay away. Without
  // it the next poll finds no session, which every client takes for a lost connection; but what is buffered goes first.
  const { writeBuffer } = conn as unknown as { writeBuffer: unknown[] };
  if (writeBuffer.length === 0) conn.close(true);
  else conn.once('drain', () => conn.close(true));
}

/**
 * Sends DISCONNECT. The transport is left to the client for a moment: closed at once, it can overtake the packet in a
 * client that reads in several threads, which would then come back.
 */
function dismiss(socket: ChatSocket): void {
  const { conn } = socket;
  socket.disconnect();
  setTimeout(() => conn.close(), HANG_UP_AFTER_MS).unref();
}
