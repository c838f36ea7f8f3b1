import { GatherWindow } from './gather-window.ts';
import type { EncodedEvent } from './encode.ts';
import type { ChatSocket } from './types.ts';
import { boundUnread } from './unread.ts';

/** What of engine.io's sockets (6.6) writing touches; none of it is in its types. */
interface Connection {
  readyState: string;
  writeBuffer: { type: string; data: string; options: object }[];
  /** Of the last packet that was gathered: the period it was counted in. */
  gatheredIn?: number;
  flush(): void;
  transport: { socket?: { _socket?: { cork(): void; uncork(): void } } };
}

const window = new GatherWindow();
const waiting = new Set<ChatSocket>();
let isScheduled = false;

/**
 * Tells a socket, as long as it reads: puts the packet into its connection's buffer, and writes the buffer at the end of
 * the window. Whatever else is written to the connection meanwhile flushes it earlier, so nothing overtakes anything.
 */
export function tell(socket: ChatSocket, { packet, options }: EncodedEvent): void {
  if (socket.data.isEnded) return;
  const connection = socket.conn as unknown as Connection;
  if (connection.readyState !== 'open') return;
  window.count(connection.gatheredIn !== window.period);
  connection.gatheredIn = window.period;
  connection.writeBuffer.push({ type: 'message', data: packet, options });
  waiting.add(socket);
  if (isScheduled) return;
  isScheduled = true;
  const { ms } = window;
  if (ms === 0) setImmediate(flushAll);
  else setTimeout(flushAll, ms);
}

function flushAll(): void {
  isScheduled = false;
  for (const socket of waiting) {
    const connection = socket.conn as unknown as Connection;
    // One write for all frames: what is written to a corked TCP connection goes out together.
    const tcp = connection.transport.socket?._socket;
    tcp?.cork();
    connection.flush();
    tcp?.uncork();
    boundUnread(socket);
  }
  waiting.clear();
}
