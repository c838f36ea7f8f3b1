import type { EncodedEvent } from './encode.ts';
import { window, writeSoon, type GatheringConnection } from './gather.ts';
import type { ChatSocket } from './types.ts';

/**
 * Tells a socket, as long as it reads: puts the packet into its connection's buffer, and writes the buffer at the end of
 * the window. Whatever else is written to the connection meanwhile flushes it earlier, so nothing overtakes anything.
 */
export function tell(socket: ChatSocket, event: EncodedEvent): void {
  if (socket.data.isEnded) return;
  const connection = socket.conn as unknown as GatheringConnection;
  if (connection.readyState !== 'open') return;
  window.count(connection.gatheredIn !== window.period);
  connection.gatheredIn = window.period;
  connection.writeBuffer.push(event);
  connection.hearer = socket;
  writeSoon(connection);
}
