import { StreamCheck } from '../../measure/stream-check.ts';
import { nowMicros } from './clock.ts';
import { DeliveryReader, stampedContent } from './packet.ts';
import type { Tally } from './tally.ts';
import { Wire, type WireListener } from './wire.ts';

const [TWO, THREE, FOUR, ZERO, M, N] = ['2', '3', '4', '0', 'm', 'n'].map((char) => char.charCodeAt(0));
const JOIN = 0;
/** For all of it, up to the answer of the join. */
const OPENING_TIMEOUT_MS = 30_000;

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

export interface ClientOptions {
  /** Among all clients of the run. */
  number: number;
  url: URL;
  /** With the query. */
  path: string;
  token: string;
  room: SharedRoom;
  tally: Tally;
}

interface Opening {
  resolve(): void;
  reject(error: Error): void;
  /** What it waits for. */
  awaits: 'session' | 'CONNECT' | 'join';
  timer: NodeJS.Timeout;
}

/** One socket of the generator, in one room. It hears its own messages, too, so that its stream is whole. */
export class Client implements WireListener {
  readonly room: SharedRoom;
  /** Among all clients of the run. */
  readonly number: number;
  readonly #options: ClientOptions;
  readonly #reader = new DeliveryReader();
  readonly #check = new StreamCheck(0);
  readonly #sentAt = new Map<number, number>();
  #wire: Wire | undefined;
  #opening: Opening | undefined;
  #isHearing = false;
  #lastAck = JOIN;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.room = options.room;
    this.number = options.number;
  }

  get isHearing(): boolean {
    return this.#isHearing;
  }

  /** Sends without an answer yet. */
  get pending(): number {
    return this.#sentAt.size;
  }

  /** Connects, and joins the room. @throws when either is refused, or takes too long */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail('time-out'), OPENING_TIMEOUT_MS);
      this.#opening = { resolve, reject, awaits: 'session', timer };
      this.#wire = new Wire(this.#options.url, this.#options.path, this);
    });
  }

  close(): void {
    this.#wire?.destroy();
  }

  /** Sends a message that says when it was sent; the tally hears of the answer. */
  send(length: number): void {
    const at = nowMicros();
    this.#lastAck += 1;
    this.#sentAt.set(this.#lastAck, at);
    this.#request('message:send', this.#lastAck, {
      roomId: this.room.id,
      content: stampedContent(at, length),
      clientMsgId: `${Math.round(at)}-${this.#lastAck}`,
    });
  }

  /** What this socket missed, repeated or reordered since the last settlement; from now on it counts anew. */
  settle(): void {
    if (!this.#isHearing) return;
    const { tally } = this.#options;
    tally.missing += this.#check.missing(this.room.head);
    tally.reordered += this.#check.reordered;
    tally.repeats += this.#check.repeats;
    this.#check.restart(this.room.head);
    this.#check.reordered = 0;
    this.#check.repeats = 0;
  }

  packet(bytes: Buffer, from: number, to: number): void {
    const [type, kind] = [bytes[from], bytes[from + 1]];
    if (type === TWO && to - from === 1) this.#wire?.send('3');
    else if (type === ZERO) this.#connect();
    else if (type !== FOUR) return;
    // 42["message:new",...
    else if (kind === TWO && bytes[from + 4] === M && bytes[from + 12] === N) this.#hear(bytes, from, to);
    else if (kind === TWO) this.#options.tally.event(bytes.toString('utf8', from + 2, to));
    else if (kind === THREE) this.#answered(bytes.toString('utf8', from + 2, to));
    else if (kind === ZERO) this.#join();
    else if (kind === FOUR) this.#fail(`refused with ${codeIn(bytes.toString('utf8', from + 2, to))}`);
  }

  closed(reason: string): void {
    this.#options.tally.unanswered += this.#sentAt.size;
    this.#sentAt.clear();
    if (this.#isHearing) {
      this.#isHearing = false;
      this.room.hearers -= 1;
      this.#options.tally.closed(reason);
    }
    this.#fail(reason);
  }

  #connect(): void {
    this.#awaits('CONNECT');
    this.#wire?.send(`40${JSON.stringify({ token: this.#options.token, echo: true })}`);
  }

  #join(): void {
    this.#awaits('join');
    this.#request('room:join', JOIN, { name: this.room.name, create: true, history: 0 });
  }

  #awaits(what: Opening['awaits']): void {
    if (this.#opening !== undefined) this.#opening.awaits = what;
  }

  #hear(bytes: Buffer, from: number, to: number): void {
    const { seq, sentAt } = this.#reader.read(bytes, from, to);
    if (seq > this.room.head) this.room.head = seq;
    this.#check.see(seq);
    this.#options.tally.delivery(sentAt);
  }

  #answered(packet: string): void {
    const bracket = packet.indexOf('[');
    const ack = Number(packet.slice(0, bracket));
    if (ack === JOIN) return this.#joined(packet.slice(bracket));
    const sentAt = this.#sentAt.get(ack) ?? 0;
    this.#sentAt.delete(ack);
    const isOk = packet.startsWith('[{"ok":true', bracket);
    const code = isOk ? undefined : codeIn(packet);
    this.#options.tally.answer(sentAt, code, this.room.hearers);
    const seq = Number(/"seq":(\d+)/.exec(packet)?.[1] ?? 0);
    if (isOk && seq > this.room.head) this.room.head = seq;
  }

  #joined(answer: string): void {
    interface Joined {
      ok: boolean;
      data: { room: { id: string; headSeq: number } };
    }
    const [{ ok, data }] = JSON.parse(answer) as [Joined];
    if (!ok) return this.#fail(`refused with ${codeIn(answer)}`);
    this.room.id = data.room.id;
    this.room.hearers += 1;
    this.#check.restart(data.room.headSeq);
    this.#isHearing = true;
    clearTimeout(this.#opening?.timer);
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  #request(event: string, ack: number, input: object): void {
    this.#wire?.send(`42${ack}["${event}",${JSON.stringify(input)}]`);
  }

  #fail(reason: string): void {
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening !== undefined) {
      const { awaits, timer } = opening;
      clearTimeout(timer);
      // Before there is a session, the reason says all.
      opening.reject(new Error(awaits === 'session' ? reason : `${reason}, waiting for the ${awaits}`));
    }
    this.#wire?.destroy();
  }
}

/** Of a refusal. */
function codeIn(text: string): string {
  return /"(?:code|message)":"(\w+)"/.exec(text)?.[1] ?? 'UNKNOWN';
}
