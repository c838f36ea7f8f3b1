import { setTimeout } from 'k6/timers';
import { StreamCheck } from '../../measure/stream-check.ts';
import { Connection, type Answer, type ConnectionListener } from './connection.ts';
import type { Recorder } from './metrics.ts';
import { signToken } from './token.ts';

const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 30_000;
const STAMP_LENGTH = 13;
/** As many as one `rooms:sync` takes. */
const SYNC_MAX = 200;

export interface Message {
  seq: number;
}

/** A room as a client hears it. */
export interface HeardRoom {
  readonly name: string;
  /** From the first join on. */
  id: string;
  readonly check: StreamCheck;
  /** Whether it should be hearing the room now. */
  hears: boolean;
}

interface SyncedRoom {
  roomId: string;
  ok: boolean;
  room?: { headSeq: number };
  messages?: Message[];
  truncated?: boolean;
  error?: { code: string };
}

interface Send {
  roomId: string;
  content: string;
  clientMsgId: string;
}

export interface ClientOptions {
  url: string;
  jwtSecret: string;
  userId: string;
  rooms: readonly string[];
  bytes: number;
  recorder: Recorder;
  /** No new connections from then on, by the system's clock. */
  until: number;
}

/**
 * A client that keeps to the contract: it comes back after a lost connection with a growing, fully random pause, syncs its
 * rooms, and sends again what was not answered. What it hears of each room is checked.
 */
export class Client implements ConnectionListener {
  readonly rooms: readonly HeardRoom[];
  readonly #options: ClientOptions;
  readonly #token: string;
  readonly #unanswered = new Map<string, Send>();
  #connection: Connection | undefined;
  #isHearing = false;
  #beganAt = 0;
  #lostAt = 0;
  #failures = 0;
  #sends = 0;
  #waitMs: number | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#token = signToken(options.jwtSecret, options.userId);
    this.rooms = options.rooms.map((name) => ({ name, id: '', check: new StreamCheck(0), hears: false }));
  }

  get isHearing(): boolean {
    return this.#isHearing;
  }

  /** Sends without an answer yet, over all connections. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  open(): void {
    this.#beganAt = Date.now();
    this.#connection = new Connection(this.#options.url, this.#token, this);
  }

  /** Drops the connection, as a bad line does; the client comes back by itself. */
  drop(): void {
    this.#connection?.end('dropped');
  }

  /** Says goodbye for good. */
  close(): void {
    this.#options.until = 0;
    this.#isHearing = false;
    this.#connection?.end('over');
  }

  /** Any request; refusals count as errors. `done` says what the data are. */
  request(event: string, input: object, done: (data: never) => void): void {
    this.#connection?.request(event, input, (answer) => {
      if (answer.ok) done(answer.data as never);
      else this.#options.recorder.error(answer.error.code);
    });
  }

  /** Sends a message with the time in it. */
  send(room: HeardRoom): void {
    this.#sends += 1;
    const clientMsgId = `${this.#options.userId}-${this.#sends}`;
    const send = { roomId: room.id, content: String(Date.now()).padEnd(this.#options.bytes, '.'), clientMsgId };
    this.#unanswered.set(clientMsgId, send);
    this.#options.recorder.count('sends');
    this.#transmit(send, Date.now());
  }

  /** Joins again; what is heard is checked from the head of the answer on. */
  join(room: HeardRoom, done: () => void): void {
    // What was kept back for the join comes right behind its answer.
    this.#connection?.request(
      'room:join',
      { name: room.name, create: true, history: 0 },
      (answer: Answer<{ room: { id: string; headSeq: number } }>) => {
        if (!answer.ok) return this.#failed(answer.error.code);
        room.id = answer.data.room.id;
        room.check.restart(answer.data.room.headSeq);
        room.hears = true;
        done();
      },
    );
  }

  connected(): void {
    const known = this.rooms.filter(({ id }) => id !== '');
    if (known.length === this.rooms.length) this.#sync(known, () => this.#isBack());
    else this.#joinAll();
  }

  event(text: string, at: number): void {
    const { recorder } = this.#options;
    if (text.startsWith('["message:new"')) this.#hear(text, at);
    else if (text.startsWith('["room:resync"')) {
      recorder.count('resyncs');
      const [, { roomId }] = JSON.parse(text) as [string, { roomId: string }];
      this.#sync(
        this.rooms.filter(({ id, hears }) => id === roomId && hears),
        () => {},
      );
    } else if (text.startsWith('["session:ended"')) {
      const [, ended] = JSON.parse(text) as [string, { code: string; reconnect: boolean; afterMs?: number }];
      if (ended.code !== 'SERVER_DRAIN') recorder.error(ended.code);
      if (!ended.reconnect) this.#options.until = 0;
      this.#waitMs = ended.afterMs ?? 0;
    }
  }

  closed(reason: string): void {
    const { recorder, until } = this.#options;
    this.#connection = undefined;
    if (this.#isHearing) {
      this.#isHearing = false;
      this.#lostAt = Date.now();
      if (this.#waitMs === undefined && reason !== 'dropped') recorder.count('lost_connections');
    } else if (until > 0 && reason !== 'dropped') {
      recorder.count('failed_connects');
      recorder.note(reason);
    }
    const backOffMs = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** this.#failures);
    const waitMs = this.#waitMs ?? Math.random() * backOffMs;
    this.#waitMs = undefined;
    this.#failures += 1;
    if (Date.now() + waitMs >= until) return;
    setTimeout(() => {
      if (Date.now() < this.#options.until) this.open();
    }, waitMs);
  }

  #joinAll(): void {
    let left = this.rooms.length;
    for (const room of this.rooms) {
      this.join(room, () => {
        left -= 1;
        if (left === 0) this.#isBack();
      });
    }
  }

  #isBack(): void {
    const { recorder } = this.#options;
    const now = Date.now();
    if (this.#lostAt === 0) {
      recorder.time('connect', now - this.#beganAt);
    } else {
      recorder.count('reconnects');
      recorder.time('recovery', now - this.#lostAt);
      this.#lostAt = 0;
    }
    this.#failures = 0;
    this.#isHearing = true;
    for (const send of this.#unanswered.values()) {
      recorder.count('resent');
      this.#transmit(send, 0);
    }
  }

  #sync(rooms: readonly HeardRoom[], done: () => void): void {
    const { recorder } = this.#options;
    const heard = rooms.filter(({ hears }) => hears);
    let left = Math.ceil(heard.length / SYNC_MAX);
    if (left === 0) return done();
    for (let from = 0; from < heard.length; from += SYNC_MAX) {
      const wanted = heard.slice(from, from + SYNC_MAX).map(({ id, check }) => ({ roomId: id, seq: check.last }));
      this.#connection?.request('rooms:sync', { rooms: wanted }, (answer: Answer<{ rooms: SyncedRoom[] }>) => {
        if (!answer.ok) return this.#failed(answer.error.code);
        for (const synced of answer.data.rooms)
          this.#caughtUp(
            heard.find(({ id }) => id === synced.roomId),
            synced,
          );
        left -= 1;
        if (left === 0) done();
      });
    }
    recorder.count('caught_up', 0);
  }

  #caughtUp(room: HeardRoom | undefined, { ok, room: state, messages = [], truncated, error }: SyncedRoom): void {
    const { recorder } = this.#options;
    if (room === undefined || !ok || state === undefined) return recorder.error(error?.code ?? 'SYNC');
    if (truncated === true) {
      recorder.count('truncated');
    } else {
      for (const { seq } of messages) this.#see(room, seq);
      recorder.count('caught_up', messages.length);
      recorder.count('gaps', room.check.missing(state.headSeq));
    }
    room.check.restart(state.headSeq);
  }

  #transmit(send: Send, sentAt: number): void {
    const { recorder } = this.#options;
    this.#connection?.request('message:send', send, (answer) => {
      if (answer.ok) {
        this.#unanswered.delete(send.clientMsgId);
        recorder.count('acked');
        if (sentAt > 0) recorder.time('ack', Date.now() - sentAt);
        return;
      }
      recorder.error(answer.error.code);
      const { retryAfterMs } = answer.error;
      if (retryAfterMs === undefined) this.#unanswered.delete(send.clientMsgId);
      else setTimeout(() => this.#again(send), retryAfterMs);
    });
  }

  #again(send: Send): void {
    if (!this.#isHearing || !this.#unanswered.has(send.clientMsgId)) return;
    this.#options.recorder.count('resent');
    this.#transmit(send, 0);
  }

  #hear(text: string, at: number): void {
    const { recorder } = this.#options;
    const [only] = this.rooms;
    const roomId = this.rooms.length === 1 ? only?.id : valueOf(text, '"roomId":"', 36);
    const room = this.rooms.find(({ id }) => id === roomId);
    const seq = Number.parseInt(valueOf(text, '"seq":', 16), 10);
    if (room?.hears !== true) return recorder.count('crosstalk');
    this.#see(room, seq);
    recorder.count('deliveries');
    recorder.time('delivery', at - Number(valueOf(text, '"content":"', STAMP_LENGTH)));
    recorder.time('lag', Date.now() - at);
  }

  #see(room: HeardRoom, seq: number): void {
    const verdict = room.check.see(seq);
    if (verdict === 'late') this.#options.recorder.count('reordered');
    else if (verdict === 'repeat') this.#options.recorder.count('repeats');
  }

  #failed(code: string): void {
    this.#options.recorder.error(code);
    this.#connection?.end(code);
  }
}

function valueOf(text: string, name: string, length: number): string {
  const from = text.indexOf(name) + name.length;
  return text.slice(from, from + length);
}
