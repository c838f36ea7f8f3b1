import { sessionEndings, type SessionEndingCode } from '@parley/protocol';
import type { ChatSocket } from './types.ts';

/** How long a client has to act on a DISCONNECT, or to close its side, before the transport is closed for it, ms. */
const HANG_UP_AFTER_MS = 1_000;
/** How long a client that reads slowly has to take the last that was written for it, ms. */
const LAST_WORD_MS = 5_000;

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
  socket.data.onEnded?.(socket, code);
}

/**
 * Closes the transport as if the network had, which brings every client back. What is buffered goes first.
 *
 * Long-polling: without Engine.IO's close packet, after which Python's and Rust's clients stay away. A transport that is
 * discarded sends none; the next poll finds no session.
 *
 * WebSocket: without a close frame. Java's clients do not answer it and notice nothing until the ping time-out; the end
 * of the TCP connection they do notice.
 */
function hangUp({ conn }: ChatSocket): void {
  const { transport } = conn;
  if (transport.name === 'polling') transport.discard();
  else if (transport.name === 'websocket') closeWithoutFrame(transport as unknown as WebSocketTransport);
  conn.close();
}

/** engine.io's transport (6.6): the WebSocket is not in its types, nor the TCP connection in those of ws (8). */
interface WebSocketTransport {
  socket: { close(): void; terminate(): void; _socket: { end(whenWritten: () => void): void } };
}

function closeWithoutFrame({ socket }: WebSocketTransport): void {
  const terminateAfter = (ms: number): void => void setTimeout(() => socket.terminate(), ms).unref();
  socket.close = () => {
    socket._socket.end(() => terminateAfter(HANG_UP_AFTER_MS));
    terminateAfter(LAST_WORD_MS);
  };
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
