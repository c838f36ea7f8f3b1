const [QUOTE, ZERO, NINE] = [0x22, 0x30, 0x39];

/** What the generator wants to know of a `message:new`. */
export interface Delivery {
  seq: number;
  /** When it was sent, as its content says; 0 if it does not. */
  sentAt: number;
}

/** The first 16 characters of a content: when it was sent, in microseconds of `nowMicros`. */
export function stampedContent(sentAt: number, length: number): string {
  return String(Math.round(sentAt)).padStart(16, '0').padEnd(length, '.');
}

/**
 * Reads `message:new` packets without parsing them: a server writes all of them in one way, so both fields are looked
 * for where they were in the last one, and searched for only when they are not there.
 */
export class DeliveryReader {
  readonly #seq = new Field('"seq":');
  readonly #content = new Field('"content":"');
  readonly #delivery: Delivery = { seq: 0, sentAt: 0 };

  /** The same object each time. @throws when it has no `seq` */
  read(bytes: Buffer, from: number, to: number): Delivery {
    const seq = this.#seq.find(bytes, from, to);
    const content = this.#content.find(bytes, from, to);
    if (seq === -1) throw new Error(`a message without seq: ${bytes.toString('utf8', from, to)}`);
    this.#delivery.seq = digits(bytes, seq, to);
    this.#delivery.sentAt = content === -1 ? 0 : digits(bytes, content, Math.min(to, content + 16));
    return this.#delivery;
  }
}

class Field {
  readonly #name: Buffer;
  #offset = 0;

  constructor(name: string) {
    this.#name = Buffer.from(name);
  }

  /** Where the value begins, or -1. */
  find(bytes: Buffer, from: number, to: number): number {
    const name = this.#name;
    const guess = from + this.#offset;
    if (this.#offset > 0 && bytes[guess] === QUOTE && this.#isAt(bytes, guess, to)) return guess + name.length;
    const found = bytes.indexOf(name, from);
    if (found === -1 || found + name.length > to) return -1;
    this.#offset = found - from;
    return found + name.length;
  }

  #isAt(bytes: Buffer, at: number, to: number): boolean {
    const name = this.#name;
    if (at + name.length > to) return false;
    for (let index = 1; index < name.length; index += 1) {
      if (bytes[at + index] !== name[index]) return false;
    }
    return true;
  }
}

function digits(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) break;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}
