import type { Broadcast, Payload } from '@parley/protocol';

/** An event, encoded once for any number of sockets: a packet as engine.io (6.6) keeps it in its buffers. */
export interface EncodedEvent {
  readonly type: 'message';
  /** The Socket.IO packet, for long-polling. */
  readonly data: string;
  /** The WebSocket frame of the Engine.IO packet around it, in one piece. */
  readonly options: { readonly wsPreEncodedFrame: readonly [Buffer] };
}

/**
 * Encodes an event of the default namespace: Socket.IO packet type 2 (EVENT) in Engine.IO packet type 4 (message).
 *
 * @see https://socket.io/docs/v4/socket-io-protocol/#exchange-protocol
 */
export function encodeEvent<B extends Broadcast>(event: B, payload: Payload<B>): EncodedEvent {
  const data = `2${JSON.stringify([event.name, payload])}`;
  return { type: 'message', data, options: { wsPreEncodedFrame: [textFrame(`4${data}`)] } };
}

/** An event that another gateway has encoded. @param packet the Engine.IO packet, in UTF-8; it is copied */
export function encodedEvent(packet: Buffer): EncodedEvent {
  return new ReceivedEvent(packet);
}

/** Its text is made when somebody wants it, which is rare: only long-polling does. */
class ReceivedEvent implements EncodedEvent {
  readonly type = 'message';
  readonly options: EncodedEvent['options'];
  #data: string | undefined;

  constructor(packet: Buffer) {
    const head = headLength(packet.length);
    const frame = newFrame(packet.length);
    packet.copy(frame, head);
    this.options = { wsPreEncodedFrame: [frame] };
  }

  get data(): string {
    const [frame] = this.options.wsPreEncodedFrame;
    return (this.#data ??= frame.toString('utf8', headLengthOf(frame) + 1));
  }
}

/** A final, unmasked text frame, as a server sends it (RFC 6455, section 5.2). */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = newFrame(length);
  frame.write(text, headLength(length));
  return frame;
}

/** A frame for a payload of so many bytes, of which only the head is there. */
function newFrame(length: number): Buffer {
  const head = headLength(length);
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
  return frame;
}

function headLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** The length of the head of a whole frame. */
function headLengthOf(frame: Buffer): number {
  return frame[1] === 126 ? 4 : frame[1] === 127 ? 10 : 2;
}
