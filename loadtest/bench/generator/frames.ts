const TEXT = 1;
const CLOSE = 8;

/** Is told what a stream of WebSocket frames holds. */
export interface FrameListener {
  /** A text lies between two places of the bytes, which are valid only until this returns. */
  text(bytes: Buffer, from: number, to: number): void;
  /** The server said goodbye; undefined is what it says without a reason. */
  close(status: number | undefined): void;
}

/**
 * Reads the complete frames between two places.
 *
 * @returns the place of the first byte that belongs to a frame that is not complete
 * @throws for what no server of Socket.IO sends: fragments, masks, compression, binary
 */
export function readFrames(bytes: Buffer, from: number, to: number, listener: FrameListener): number {
  let at = from;
  while (to - at >= 2) {
    const first = bytes[at] as number;
    const short = bytes[at + 1] as number;
    let head = at + 2;
    let length = short;
    if (short >= 126) {
      if (short > 127) throw new Error('a masked frame');
      head = at + (short === 126 ? 4 : 10);
      if (head > to) return at;
      length = short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    }
    const end = head + length;
    if (end > to) return at;
    if ((first & 0xf0) !== 0x80) throw new Error(`a frame that begins with 0x${first.toString(16)}`);
    const opcode = first & 0x0f;
    if (opcode === TEXT) listener.text(bytes, head, end);
    else if (opcode === CLOSE) listener.close(length < 2 ? undefined : bytes.readUInt16BE(head));
    else if (opcode < CLOSE) throw new Error(`a frame with the opcode ${opcode}`);
    at = end;
  }
  return at;
}

/**
 * A client's frame with a text. Clients have to mask what they send, against proxies that mistake it for HTTP; a key of
 * zeros is a valid one, and saves the work.
 */
export function encodeMaskedText(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? 6 : length < 65_536 ? 8 : 14;
  const frame = Buffer.alloc(head + length);
  frame[0] = 0x80 | TEXT;
  if (head === 6) {
    frame[1] = 0x80 | length;
  } else if (head === 8) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, head);
  return frame;
}
