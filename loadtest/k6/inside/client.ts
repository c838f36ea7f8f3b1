import { setTimeout } from 'k6/timers';
import { Connection, type Answer, type ConnectionListener } from './connection.ts';
import { HeardRooms, type Hear, type HeardRoom, type SyncedRoom } from './heard-rooms.ts';
import type { Recorder } from './metrics.ts';
import { Outbox } from './outbox.ts';
import { signToken } from './token.ts';

const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 30_000;
/** As many as one `rooms:sync` takes. */
const SYNC_MAX = 200;

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
 * A client that keeps to the contract: it comes back after a lost connection with a growing, fully random pause, syncs
 * its rooms, and sends again what was not answered. What it hears of each room is checked.
 */
export class Client implements ConnectionListener {
  readonly #options: ClientOptions;
  readonly #token: string;
  readonly #rooms: HeardRooms;
  readonly #outbox: Outbox;
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
    this.#rooms = new HeardRooms(options.rooms, options.recorder);
    this.#outbox = new Outbox(options.recorder, (send, answered) => {
      if (this.#isHearing) this.#connection?.request('message:send', send, answered);
    });
  }

  get hear(): Hear {
    return this.#rooms.hear;
  }

  get isHearing(): boolean {
    return this.#isHearing;
  }

  get rooms(): readonly HeardRoom[] {
    return this.#rooms.all;
  }

  /** Sends without an answer yet, over all connections. */
  get unanswered(): number {
    return this.#outbox.size;
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
    const content = String(Date.now()).padEnd(this.#options.bytes, '.');
    this.#outbox.add({ roomId: room.id, content, clientMsgId: `${this.#options.userId}-${this.#sends}` });
  }

  /** Joins, for the first time or again. */
  join(room: HeardRoom, done: () => void): void {
    const input = { name: room.name, create: true, history: 0 };
    this.#connection?.ask('room:join', input, (answer) => {
      if (!answer.startsWith('{"ok":true')) return this.#refused(answer, () => this.join(room, done));
      // At once: what was kept back for the join comes right behind its answer.
      this.#rooms.joined(room, answer);
      done();
    });
  }

  connected(): void {
    if (this.#rooms.areKnown) this.#sync(this.rooms, () => this.#isBack());
    else this.#joinAll();
  }

  event(packet: string): void {
    const { recorder } = this.#options;
    if (packet.startsWith('42["room:resync"')) {
      recorder.count('resyncs');
      const [, { roomId }] = JSON.parse(packet.slice(2)) as [string, { roomId: string }];
      this.#sync(
        this.rooms.filter(({ id }) => id === roomId),
        () => {},
      );
    } else if (packet.startsWith('42["session:ended"')) {
      const [, ended] = JSON.parse(packet.slice(2)) as [string, { code: string; reconnect: boolean; afterMs?: number }];
      if (ended.code !== 'SERVER_DRAIN') recorder.error(ended.code);
      if (!ended.reconnect) this.#options.until = 0;
      this.#waitMs = ended.afterMs ?? 0;
    }
  }

  closed(reason: string): void {
    const { recorder, until } = this.#options;
    this.#connection = undefined;
    const isIntended = this.#waitMs !== undefined || reason === 'dropped' || until === 0;
    if (this.#isHearing) {
      this.#isHearing = false;
      this.#lostAt = Date.now();
      if (!isIntended) recorder.count('lost_connections');
    } else if (!isIntended) {
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
    this.#outbox.sendAgain();
  }

  /** Syncs those of the rooms that it hears. */
  #sync(rooms: readonly HeardRoom[], done: () => void): void {
    const heard = rooms.filter(({ hears }) => hears);
    let left = Math.ceil(heard.length / SYNC_MAX);
    if (left === 0) return done();
    for (let from = 0; from < heard.length; from += SYNC_MAX) {
      this.#syncPage(heard.slice(from, from + SYNC_MAX), () => {
        left -= 1;
        if (left === 0) done();
      });
    }
  }

  #syncPage(rooms: readonly HeardRoom[], done: () => void): void {
    const wanted = rooms.map(({ id, check }) => ({ roomId: id, seq: check.last }));
    this.#connection?.request('rooms:sync', { rooms: wanted }, (answer: Answer<{ rooms: SyncedRoom[] }>) => {
      if (!answer.ok) return this.#failed(answer.error, () => this.#syncPage(rooms, done));
      for (const synced of answer.data.rooms) this.#rooms.caughtUp(synced);
      done();
    });
  }

  #refused(answer: string, again: () => void): void {
    const parsed = JSON.parse(answer) as Answer;
    if (!parsed.ok) this.#failed(parsed.error, again);
  }

  /** A join or a sync was refused: again later where the answer says so, on the same connection. */
  #failed({ code, retryAfterMs }: { code: string; retryAfterMs?: number }, again: () => void): void {
    this.#options.recorder.error(code);
    const connection = this.#connection;
    if (retryAfterMs === undefined) return connection?.end(code);
    setTimeout(() => {
      if (this.#connection === connection) again();
    }, retryAfterMs);
  }
}
