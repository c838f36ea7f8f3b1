import type { Socket } from 'node:net';

/** What engine.io is told about a packet. */
export interface PacketOptions {
  /** The parts of its WebSocket frame. */
  readonly wsPreEncodedFrame?: readonly Buffer[];
}

/** A packet as engine.io keeps it in its buffers. */
interface Packet {
  readonly type?: string;
  readonly data?: unknown;
  readonly options?: PacketOptions;
}

/** What of engine.io's sockets (6.6) and their WebSockets (ws 8) writing touches; none of it is in their types. */
export interface FramesConnection {
  readyState: string;
  writeBuffer: Packet[];
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
  if (writeBuffer.length === 0) return true;
  const piece = isLatest(writeBuffer) ? latest.piece : join(writeBuffer);
  if (piece === undefined) return false;
  connection.writeBuffer = [];
  tcp.write(piece);
  return true;
}

interface Joined {
  packets: readonly Packet[];
  piece: Buffer | undefined;
}

const NOTHING: Joined = { packets: [], piece: undefined };
/** What was joined last: the sockets of a room are written to one after another, and mostly wait for the same. */
let latest = NOTHING;

/** To be called when all are written to: what they were told is not kept until the next time. */
export function forgetLatest(): void {
  latest = NOTHING;
}

function isLatest(packets: readonly Packet[]): boolean {
  if (packets.length !== latest.packets.length) return false;
  for (let index = 0; index < packets.length; index += 1) if (packets[index] !== latest.packets[index]) return false;
  return true;
}

/** The frames of the packets in one piece; undefined when they can't be written so. */
function join(packets: readonly Packet[]): Buffer | undefined {
  const frames: Buffer[] = [];
  let bytes = 0;
  for (const { options } of packets) {
    const ofPacket = options?.wsPreEncodedFrame;
    if (ofPacket === undefined) return undefined;
    for (const part of ofPacket) {
      frames.push(part);
      bytes += part.length;
    }
    if (bytes > MAX_BYTES) return undefined;
  }
  const [first] = frames;
  const piece = frames.length === 1 ? first : Buffer.concat(frames, bytes);
  latest = { packets, piece };
  return piece;
}
