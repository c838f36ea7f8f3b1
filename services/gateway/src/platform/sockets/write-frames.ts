import type { Socket } from 'node:net';

/** What of engine.io's sockets (6.6) and their WebSockets (ws 8) writing touches; none of it is in their types. */
export interface FramesConnection {
  readyState: string;
  writeBuffer: { readonly options?: { readonly wsPreEncodedFrame?: readonly Buffer[] } }[];
  transport: { writable: boolean; socket?: { _socket: Socket | null } };
}

/** With more than this, bytes, it is engine.io that writes, and keeps what can't be taken yet. */
const MAX_BYTES = 64_000;

/**
 * Writes all that waits in a connection's buffer as one piece, past engine.io and ws: for each packet they emit events
 * and call back, and for each frame they make a write of its own; all of that together costs more than the write.
 *
 * Only where it makes no difference to anybody: on a WebSocket that is open and has taken all that was written before,
 * and with nothing but encoded frames, of which engine.io knows no callback.
 *
 * @returns whether it did; if not, nothing has changed
 */
export function writeFrames(connection: FramesConnection): boolean {
  const { transport, writeBuffer } = connection;
  const tcp = transport.socket?._socket;
  if (!tcp || !transport.writable || connection.readyState !== 'open') return false;
  if (!tcp.writable || tcp.writableLength > 0) return false;
  const frames: Buffer[] = [];
  let bytes = 0;
  for (const { options } of writeBuffer) {
    const ofPacket = options?.wsPreEncodedFrame;
    if (ofPacket === undefined) return false;
    for (const part of ofPacket) {
      frames.push(part);
      bytes += part.length;
    }
    if (bytes > MAX_BYTES) return false;
  }
  const [first] = frames;
  if (first === undefined) return true;
  connection.writeBuffer = [];
  tcp.write(frames.length === 1 ? first : Buffer.concat(frames, bytes));
  return true;
}
