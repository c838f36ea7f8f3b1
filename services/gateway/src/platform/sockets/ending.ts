import { sessionEndings, type SessionEndingCode } from '@parley/protocol';
import type { ChatSocket } from './types.ts';

/**
 * Ends a session by the table of the protocol: tells the client why, then closes. Clients come back by themselves from
 * a transport that closes, and stay away after a DISCONNECT packet; so the code decides which of the two it is.
 *
 * @param afterMs how long the client should stay away, when it can choose
 */
export function endSession(socket: ChatSocket, code: SessionEndingCode, message: string, afterMs?: number): void {
  const { reconnect } = sessionEndings[code];
  socket.emit('session:ended', { code, message, reconnect, ...(afterMs !== undefined && { afterMs }) });
  if (reconnect) socket.conn.close();
  else socket.disconnect(true);
}
