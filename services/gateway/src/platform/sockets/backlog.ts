import type { PacketOptions } from './write-frames.ts';

interface WaitingPacket {
  readonly data?: unknown;
  readonly options?: PacketOptions | undefined;
}

/** What of engine.io's sockets (6.6) tells how much is unread; none of it is in its types. */
export interface Backlog {
  writeBuffer: WaitingPacket[];
  transport: { socket?: { bufferedAmount: number } };
}

/** What a packet costs that waits, besides its text, bytes. */
const PACKET_BYTES = 100;

/** The sum of the first `length` packets of `buffer`, so that a long one is not added up at every look. */
interface Counted {
  buffer: Backlog['writeBuffer'];
  length: number;
  bytes: number;
}

const counted = new WeakMap<object, Counted>();

/** Bytes that were written and not taken: by the kernel for a WebSocket, by a poll for long-polling. */
export function unreadBytes(connection: Backlog): number {
  const { writeBuffer, transport } = connection;
  const inTransport = transport.socket?.bufferedAmount ?? 0;
  if (writeBuffer.length === 0) return inTransport;
  const count = counted.get(connection);
  const sum = count?.buffer === writeBuffer ? count : { buffer: writeBuffer, length: 0, bytes: 0 };
  for (; sum.length < writeBuffer.length; sum.length += 1) sum.bytes += bytesOf(writeBuffer[sum.length]);
  counted.set(connection, sum);
  return inTransport + sum.bytes;
}

/** The first packets have left the buffer, and the others stay in it. */
export function wereTaken(connection: object, packets: Backlog['writeBuffer']): void {
  const count = counted.get(connection);
  if (!count) return;
  for (const packet of packets.slice(0, count.length)) count.bytes -= bytesOf(packet);
  count.length = Math.max(0, count.length - packets.length);
}

export function bytesOf(packet: WaitingPacket | undefined): number {
  const frame = packet?.options?.wsPreEncodedFrame;
  if (frame !== undefined) return frame.reduce((bytes, part) => bytes + part.length, PACKET_BYTES);
  return PACKET_BYTES + (typeof packet?.data === 'string' ? packet.data.length : 0);
}

/** Forgets what waits: whoever does not read it shall hear that, and nothing before it. */
export function dropUnread(connection: Backlog): void {
  connection.writeBuffer = [];
}
