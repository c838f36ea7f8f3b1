import { GatherWindow } from './gather-window.ts';
import type { EncodedEvent } from './encode.ts';
import type { ChatSocket } from './types.ts';
import { boundUnread } from './unread.ts';
import { writeFrames, type FramesConnection } from './write-frames.ts';

/** What of engine.io's sockets (6.6) gathering touches; none of it is in its types. */
interface Connection extends FramesConnection {
  readyState: string;
  /** Of the last packet that was gathered: the period it was counted in. */
  gatheredIn?: number;
  /** Whether something is gathered for it at the moment. */
  isGathering?: boolean;
  flush(): void;
}

const window = new GatherWindow();
let waiting: ChatSocket[] = [];
let isScheduled = false;

/** How long what is told is gathered at the moment, ms. 0: this gateway has little to do. */
export const gatherMs = (): number => window.ms;

/**
 * Tells a socket, as long as it reads: puts the packet into its connection's buffer, and writes the buffer at the end of
 * the window. Whatever else is written to the connection meanwhile flushes it earlier, so nothing overtakes anything.
 */
export function tell(socket: ChatSocket, event: EncodedEvent): void {
  if (socket.data.isEnded) return;
  const connection = socket.conn as unknown as Connection;
  if (connection.readyState !== 'open') return;
  window.count(connection.gatheredIn !== window.period);
  connection.gatheredIn = window.period;
  connection.writeBuffer.push(event);
  if (connection.isGathering !== true) {
    connection.isGathering = true;
    waiting.push(socket);
  }
  if (isScheduled) return;
  isScheduled = true;
  const { ms } = window;
  if (ms === 0) setImmediate(flushAll);
  else setTimeout(flushAll, ms);
}

function flushAll(): void {
  isScheduled = false;
  const sockets = waiting;
  waiting = [];
  for (const socket of sockets) {
    const connection = socket.conn as unknown as Connection;
    connection.isGathering = false;
    if (!writeFrames(connection)) connection.flush();
    boundUnread(socket);
  }
}
