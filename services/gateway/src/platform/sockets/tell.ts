import type { Broadcast, Payload } from '@parley/protocol';
import { endSession } from './ending.ts';
import type { ChatSocket } from './types.ts';

/** An event, encoded once for any number of sockets. */
export interface EncodedEvent {
  /** The Socket.IO packet, for long-polling. */
  packet: string;
  /** The WebSocket frame of the Engine.IO packet around it, in one piece. */
  options: { wsPreEncodedFrame: [Buffer] };
}

/**
 * Encodes an event of the default namespace: Socket.IO packet type 2 (EVENT) in Engine.IO packet type 4 (message).
 *
 * @see https://socket.io/docs/v4/socket-io-protocol/#exchange-protocol
 */
export function encodeEvent<B extends Broadcast>(event: B, payload: Payload<B>): EncodedEvent {
  const packet = `2${JSON.stringify([event.name, payload])}`;
  return { packet, options: { wsPreEncodedFrame: [textFrame(`4${packet}`)] } };
}

/** A final, unmasked text frame, as a server sends it (RFC 6455, section 5.2). */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x81;
  if (head === 2) {
    frame[1] = length;
  } else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, head);
  return frame;
}

/** What a socket may leave unread, bytes. A session that leaves more is ended: nobody's slowness may cost memory. */
export const MAX_UNREAD_BYTES = 4_000_000;
/** Packets that may wait for the next poll of a long-polling client. */
const MAX_UNREAD_PACKETS = 2_000;
/** How long a client that does not read has for the word that its session has ended, ms. */
const LAST_WORD_MS = 1_000;

/** What of engine.io's sockets (6.6) tells how much is unread; none of it is in its types. */
interface Backlog {
  writeBuffer: { data?: unknown }[];
  transport: { socket?: { bufferedAmount: number; terminate(): void } };
}

/** Writes to a socket, as long as it reads. */
export function tell(socket: ChatSocket, { packet, options }: EncodedEvent): void {
  const { conn } = socket;
  conn.write(packet, options as Parameters<typeof conn.write>[1]);
  const { writeBuffer, transport } = conn as unknown as Backlog;
  const inSocket = transport.socket?.bufferedAmount ?? 0;
  if (writeBuffer.length < 2 && inSocket < MAX_UNREAD_BYTES) return;
  const unread = writeBuffer.reduce(
    (bytes, { data }) => bytes + (typeof data === 'string' ? data.length : 0),
    inSocket,
  );
  if (unread >= MAX_UNREAD_BYTES || writeBuffer.length >= MAX_UNREAD_PACKETS) endSlowConsumer(socket);
}

/** An orderly close waits until everything is read, which would be never. */
function endSlowConsumer(socket: ChatSocket): void {
  const { conn } = socket;
  endSession(socket, 'SLOW_CONSUMER', 'Reads too slowly for what it hears');
  setTimeout(() => {
    conn.close(true);
    (conn as unknown as Backlog).transport.socket?.terminate();
  }, LAST_WORD_MS).unref();
}
