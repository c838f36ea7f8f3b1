import { nowMicros } from './clock.ts';
import { codeIn, Connection, type ConnectionListener, type ConnectionOptions } from './connection.ts';
import { stampedContent } from './packet.ts';
import { Stream, type SharedRoom, type SyncedRoom } from './stream.ts';
import type { Tally } from './tally.ts';

/** For all of it, up to the answer of the join or the sync. */
const OPENING_TIMEOUT_MS = 20_000;

export interface ClientOptions extends ConnectionOptions {
  /** Among all clients of the run. */
  number: number;
  room: SharedRoom;
  tally: Tally;
}

/** Is told what becomes of a client. */
export interface ClientWatcher {
  /** It no longer hears its room. */
  lost(client: Client, reason: string): void;
  /** @param sentAt by the sender's clock, in microseconds */
  delivered?(sentAt: number): void;
}

/** Joins anew, or takes up the stream where it was lost. */
export type Entrance = 'join' | 'sync';

interface Opening {
  entrance: Entrance;
  isEntering: boolean;
  resolve(): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** One socket of the generator, in one room. It hears its own messages, too, so that its stream is whole. */
export class Client implements ConnectionListener {
  readonly stream: Stream;
  watcher: ClientWatcher | undefined;
  readonly #options: ClientOptions;
  readonly #sentAt = new Map<number, number>();
  /** Other questions; the answer is undefined when the connection ended before. */
  readonly #asked = new Map<number, (answer: string | undefined) => void>();
  #connection: Connection | undefined;
  #opening: Opening | undefined;
  #isHearing = false;
  #gateway = '';
  #lastAck = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.stream = new Stream(options.room, options.tally);
  }

  get room(): SharedRoom {
    return this.stream.room;
  }

  /** Among all clients of the run. */
  get number(): number {
    return this.#options.number;
  }

  get isHearing(): boolean {
    return this.#isHearing;
  }

  /** To which it is connected, or was at last. */
  get gateway(): string {
    return this.#gateway;
  }

  /** Sends without an answer yet. */
  get pending(): number {
    return this.#sentAt.size;
  }

  /** Connects, and enters the room. @throws when either is refused, or takes too long */
  open(entrance: Entrance = 'join'): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#connection?.end('time-out'), OPENING_TIMEOUT_MS);
      this.#opening = { entrance, isEntering: false, resolve, reject, timer };
      this.#connection = new Connection(this.#options, this);
    });
  }

  close(): void {
    this.#connection?.end('closed by the generator');
  }

  /** Sends a message that says when it was sent; the tally hears of the answer. */
  send(length: number): void {
    const at = nowMicros();
    this.#lastAck += 1;
    this.#sentAt.set(this.#lastAck, at);
    this.#connection?.request('message:send', this.#lastAck, {
      roomId: this.room.id,
      content: stampedContent(at, length),
      clientMsgId: `${Math.round(at)}-${this.#lastAck}`,
    });
  }

  /** Asks for the latest message of the room, so that `room.head` is what the server has. */
  async learnHead(): Promise<void> {
    const answer = await new Promise<string | undefined>((resolve) => {
      this.#ask('message:history', { roomId: this.room.id, limit: 1 }, resolve);
    });
    this.stream.know(Number(/"seq":(\d+)/.exec(answer ?? '')?.[1] ?? 0));
  }

  /** Counts what this socket missed, repeated or reordered, if it hears its room. */
  settle(): void {
    if (this.#isHearing) this.stream.settle();
  }

  connected(gateway: string): void {
    this.#gateway = gateway;
    if (this.#opening === undefined) return;
    this.#opening.isEntering = true;
    if (this.#opening.entrance === 'sync') this.#sync();
    else this.#join();
  }

  heard(bytes: Buffer, from: number, to: number): void {
    const sentAt = this.stream.hear(bytes, from, to);
    this.watcher?.delivered?.(sentAt);
  }

  event(text: string): void {
    this.#options.tally.event(text);
    if (this.#isHearing && text.startsWith('["room:resync"')) this.#sync();
  }

  answered(ack: number, answer: string): void {
    const asked = this.#asked.get(ack);
    if (asked !== undefined) {
      this.#asked.delete(ack);
      return asked(answer);
    }
    const sentAt = this.#sentAt.get(ack) ?? 0;
    this.#sentAt.delete(ack);
    const isOk = answer.startsWith('[{"ok":true');
    this.#options.tally.answer(sentAt, isOk ? undefined : codeIn(answer), this.room.hearers);
    if (isOk) this.stream.know(Number(/"seq":(\d+)/.exec(answer)?.[1] ?? 0));
  }

  closed(reason: string): void {
    const { tally } = this.#options;
    tally.unanswered += this.#sentAt.size;
    this.#sentAt.clear();
    for (const answered of this.#asked.values()) answered(undefined);
    this.#asked.clear();
    if (this.#isHearing) {
      this.#isHearing = false;
      this.room.hearers -= 1;
      tally.closed(reason);
      this.watcher?.lost(this, reason);
    }
    const opening = this.#opening;
    if (opening === undefined) return;
    this.#opening = undefined;
    clearTimeout(opening.timer);
    opening.reject(new Error(opening.isEntering ? `${reason}, waiting for the ${opening.entrance}` : reason));
  }

  #join(): void {
    this.#ask('room:join', { name: this.room.name, create: true, history: 0 }, (answer) => {
      if (answer === undefined) return;
      const [joined] = JSON.parse(answer) as [{ ok: boolean; data: { room: { id: string; headSeq: number } } }];
      if (!joined.ok) return this.#connection?.end(`refused with ${codeIn(answer)}`);
      this.room.id = joined.data.room.id;
      this.stream.begin(joined.data.room.headSeq);
      this.#entered();
    });
  }

  /** Takes up the stream after the last message that it brought. */
  #sync(): void {
    const asked = this.stream.last;
    this.#ask('rooms:sync', { rooms: [{ roomId: this.room.id, seq: asked }] }, (answer) => {
      if (answer === undefined) return;
      const [{ ok, data }] = JSON.parse(answer) as [{ ok: boolean; data: { rooms: [SyncedRoom] } }];
      const problem = ok ? this.stream.catchUp(asked, data.rooms[0]) : codeIn(answer);
      if (problem === undefined) this.#entered();
      else this.#connection?.end(`refused with ${problem}`);
    });
  }

  #entered(): void {
    if (!this.#isHearing) this.room.hearers += 1;
    this.#isHearing = true;
    clearTimeout(this.#opening?.timer);
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  #ask(event: string, input: object, answered: (answer: string | undefined) => void): void {
    this.#lastAck += 1;
    this.#asked.set(this.#lastAck, answered);
    this.#connection?.request(event, this.#lastAck, input);
  }
}
