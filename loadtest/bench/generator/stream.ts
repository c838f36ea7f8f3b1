import { StreamCheck } from '../../measure/stream-check.ts';
import { DeliveryReader } from './packet.ts';
import type { Tally } from './tally.ts';

/** The room of the clients that share it. */
export interface SharedRoom {
  readonly name: string;
  /** As the server calls it, from the first join on. */
  id: string;
  /** The highest `seq` that an answer or a message named. */
  head: number;
  /** How many hear it. */
  hearers: number;
}

/** An entry of the answer to `rooms:sync`. */
export interface SyncedRoom {
  ok: boolean;
  room?: { headSeq: number };
  messages?: { seq: number }[];
  truncated?: boolean;
  error?: { code: string };
}

/** What one client hears of its room, over all its connections, checked for order and completeness. */
export class Stream {
  readonly room: SharedRoom;
  readonly #tally: Tally;
  readonly #reader = new DeliveryReader();
  readonly #check = new StreamCheck(0);

  constructor(room: SharedRoom, tally: Tally) {
    this.room = room;
    this.#tally = tally;
  }

  /** The highest `seq` it has heard of. */
  get last(): number {
    return this.#check.last;
  }

  /** Whether it has heard all that anybody knows of. */
  get isWhole(): boolean {
    return this.#check.missing(this.room.head) === 0;
  }

  /** Takes a `message:new`. @returns when it was sent */
  hear(bytes: Buffer, from: number, to: number): number {
    const { seq, sentAt } = this.#reader.read(bytes, from, to);
    this.know(seq);
    this.#check.see(seq);
    this.#tally.delivery(sentAt);
    return sentAt;
  }

  /** There is a message with that `seq`. */
  know(seq: number): void {
    if (seq > this.room.head) this.room.head = seq;
  }

  /** After a join: what came before counts no more. */
  begin(head: number): void {
    this.know(head);
    this.#check.restart(head);
  }

  /**
   * After a sync that asked for what came after `asked`: it must close the stream up to its head.
   *
   * @returns why it can't be used, or undefined
   */
  catchUp(asked: number, { ok, room, messages = [], truncated, error }: SyncedRoom): string | undefined {
    if (!ok || room === undefined) return error?.code ?? 'UNKNOWN';
    if (truncated === true) {
      this.#tally.truncated += 1;
    } else {
      // What was heard while the answer was under way may be in it, too.
      const heard = this.last;
      for (const { seq } of messages) if (seq <= asked || seq > heard) this.#check.see(seq);
      this.#tally.caughtUp += messages.length;
      this.#tally.missing += this.#check.missing(room.headSeq);
    }
    this.begin(room.headSeq);
    return undefined;
  }

  /** Adds what was missed, repeated or reordered since the last settlement to the tally; from now on it counts anew. */
  settle(): void {
    const tally = this.#tally;
    tally.missing += this.#check.missing(this.room.head);
    tally.reordered += this.#check.reordered;
    tally.repeats += this.#check.repeats;
    this.#check.restart(this.room.head);
    this.#check.reordered = 0;
    this.#check.repeats = 0;
  }
}
