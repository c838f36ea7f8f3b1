import { RoomLanes } from './room-lanes.ts';

/** A message that wants its place in a room. */
export interface NewMessage {
  id: string;
  roomId: string;
  senderId: string;
  clientMsgId: string;
  /** NFC, within the limits. */
  content: string;
  replyTo: number | null;
}

export interface MessageWriterOptions<Outcome> {
  /** Commits a batch in one transaction and answers in the order of the batch. Several may run at once. */
  append: (batch: readonly NewMessage[]) => Promise<readonly Outcome[]>;
  /** Whether the transaction is known to have changed nothing and is worth another try at once. */
  isTransient: (error: unknown) => boolean;
  /** Whether it is known to have changed nothing, since somebody holds a room of the batch for long. */
  isLocked: (error: unknown) => boolean;
  /** Whether the store is away: what failed by it fails together. */
  isUnavailable: (error: unknown) => boolean;
  /** Thrown for messages beyond the bounds. */
  overflow: () => Error;
  /** Thrown for messages that have waited too long for a room that somebody holds. */
  overdue: () => Error;
  /** Most messages in one commit. Default 200: past it a batch takes longer and gains nothing. */
  maxBatch?: number;
  /** Most messages waiting. Default 10,000. */
  maxWaiting?: number;
  /** Most messages waiting for one room that somebody holds. Default 2,500: they must not take everybody's place. */
  maxWaitingAside?: number;
  /** Commits of rooms that are set aside under way at a time. Default 3: each holds a connection while it waits. */
  maxLanes?: number;
  /** How long a message may wait for a room that somebody holds, ms. Default 5,000. */
  patienceMs?: number;
  /** Tries of one batch. Default 3. */
  maxTries?: number;
  /**
   * Runs the next batch when it is worth it: after what came at the same time has gathered, at least. A full one waits
   * for nothing. Default `setImmediate`.
   */
  defer?: (run: () => void) => void;
  /** A clock that only goes forward, ms. Default `performance.now`. */
  now?: () => number;
}

/** A message on its way, and whom to tell what became of it. */
export interface Waiting<Outcome> {
  readonly message: NewMessage;
  readonly since: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit. While one batch is being committed the next one gathers, whatever rooms its messages belong to; so a
 * message costs the less the more share its commit, and a lone one waits for nobody.
 *
 * One batch is under way at a time, and messages enter it in the order they came: what one socket sends to one room gets
 * its `seq` in that order. Outcomes are told in the same order.
 *
 * A batch that meets a lock for too long is a batch in which one room is held by somebody. Its rooms are set aside: each
 * goes on in a lane of its own (`RoomLanes`), with all that waits for it, until its next commit; so the one that is held
 * holds up nobody else.
 *
 * A batch that fails for another reason than a lock, an absent store or a lost race is halved until the message at fault
 * is alone.
 */
export class MessageWriter<Outcome> {
  readonly #options: Required<MessageWriterOptions<Outcome>>;
  readonly #lanes: RoomLanes<Outcome>;
  #waiting: Waiting<Outcome>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: MessageWriterOptions<Outcome>) {
    this.#options = {
      maxBatch: 200,
      maxWaiting: 10_000,
      maxWaitingAside: 2_500,
      maxLanes: 3,
      patienceMs: 5_000,
      maxTries: 3,
      defer: setImmediate,
      now: () => performance.now(),
      ...options,
    };
    this.#lanes = new RoomLanes(this.#options, {
      commit: (batch) => this.#commit(batch),
      giveBack: (left) => this.#enqueue(left),
    });
  }

  get waiting(): number {
    return this.#waiting.length + this.#lanes.waiting;
  }

  /** Rooms with messages that are set aside, since somebody holds the room. */
  get roomsAside(): number {
    return this.#lanes.busy;
  }

  /** Resolves once the outcome is committed. */
  append(message: NewMessage): Promise<Outcome> {
    const { maxWaiting, maxWaitingAside, overflow, now } = this.#options;
    const isAside = this.#lanes.has(message.roomId);
    if (this.waiting >= maxWaiting || (isAside && this.#lanes.waitingIn(message.roomId) >= maxWaitingAside)) {
      return Promise.reject(overflow());
    }
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const one = { message, since: now(), resolve, reject };
    if (isAside) this.#lanes.add([one]);
    else this.#enqueue([one]);
    return promise;
  }

  /** Resolves when all that was given has its outcome. */
  async flush(): Promise<void> {
    while (this.#running || this.#lanes.running) await (this.#running ?? this.#lanes.running);
  }

  #enqueue(waiting: readonly Waiting<Outcome>[]): void {
    if (waiting.length === 0) return;
    this.#waiting.push(...waiting);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { maxBatch, defer } = this.#options;
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < maxBatch) await new Promise<void>(defer);
      const locked = await this.#commit(this.#waiting.splice(0, maxBatch));
      if (locked.length > 0) this.#putAside(locked);
    }
    this.#running = undefined;
  }

  /** With what waits behind them, so that a room is in one place only. */
  #putAside(locked: readonly Waiting<Outcome>[]): void {
    const rooms = roomsOf(locked);
    const { behind = [], others = [] } = Object.groupBy(this.#waiting, ({ message }) =>
      rooms.has(message.roomId) ? 'behind' : 'others',
    );
    this.#waiting = others;
    this.#lanes.add([...locked, ...behind]);
  }

  /** @returns those without an outcome, since somebody holds a room of theirs; in their order, and whole rooms */
  async #commit(batch: readonly Waiting<Outcome>[], tries = 1): Promise<readonly Waiting<Outcome>[]> {
    const { append, isTransient, isLocked, isUnavailable, maxTries } = this.#options;
    try {
      const outcomes = await append(batch.map(({ message }) => message));
      batch.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
      return [];
    } catch (error) {
      if (isLocked(error)) return batch;
      if (isTransient(error) && tries < maxTries) return this.#commit(batch, tries + 1);
      if (isTransient(error) || isUnavailable(error) || batch.length === 1) {
        for (const { reject } of batch) reject(error);
        return [];
      }
    }
    const half = Math.ceil(batch.length / 2);
    const lockedFirst = await this.#commit(batch.slice(0, half));
    const rooms = roomsOf(lockedFirst);
    const { behind = [], others = [] } = Object.groupBy(batch.slice(half), ({ message }) =>
      rooms.has(message.roomId) ? 'behind' : 'others',
    );
    return [...lockedFirst, ...behind, ...(others.length > 0 ? await this.#commit(others) : [])];
  }
}

function roomsOf(waiting: readonly { message: NewMessage }[]): ReadonlySet<string> {
  return new Set(waiting.map(({ message }) => message.roomId));
}
