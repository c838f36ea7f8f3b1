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

/** A final, unmasked text frame, as a server sends it (RFC 6455, section 5.2). */
export function textFrame(text: string): Buffer {
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
