import type { EncodedEvent } from './encode.ts';
import { window, writeSoon, type GatheringConnection } from './gather.ts';
import type { ChatSocket } from './types.ts';

/**
 * Tells a socket, as long as it reads: puts the packet into its connection's buffer, which is written at the end of
 * the window.
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
