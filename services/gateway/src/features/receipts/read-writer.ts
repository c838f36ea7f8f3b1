import type { Reading } from './reading.ts';

/** What became of a reading. */
export interface Marked {
  /** How far the member has read now. */
  lastReadSeq: number;
  headSeq: number;
  /** Whether it was moved. */
  hasMoved: boolean;
}

/** Of one member in one room. `isHeld`: nothing was done, since somebody else holds its row. */
export type MarkedRow = Marked & { roomId: string; userId: string; isHeld: boolean };

export interface ReadWriterOptions {
  /** Commits a batch. Who is no member has no row. */
  write: (readings: readonly Reading[]) => Promise<readonly MarkedRow[]>;
  /** Thrown for readings beyond the bounds: too many wait, or a row was held for too long. */
  overflow: () => Error;
  /** Most readings in one commit. Default 500. */
  maxBatch?: number;
  /** Most readings that have no outcome yet. Default 20,000. */
  maxWaiting?: number;
  /** After how long a row that was held is tried again, ms. Default 50. */
  retryMs?: number;
  /** How often it is tried. Default 100. */
  maxTries?: number;
}

interface Waiting {
  reading: Reading;
  tries: number;
  resolve: (marked: Marked | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit of readings: in a lively room everybody marks every message as read, and a commit for each would be more
 * than the messages themselves cost. While one batch is being committed the next one gathers. A row that somebody holds
 * waits here, and holds up nobody else.
 */
export class ReadWriter {
  readonly #options: Required<ReadWriterOptions>;
  #waiting: Waiting[] = [];
  readonly #retries = new Map<NodeJS.Timeout, Waiting[]>();
  #unsettled = 0;
  #running: Promise<void> | undefined;

  constructor(options: ReadWriterOptions) {
    this.#options = { maxBatch: 500, maxWaiting: 20_000, retryMs: 50, maxTries: 100, ...options };
  }

  /** @returns undefined for who is no member. @throws what `write` throws, and `overflow` */
  mark(reading: Reading): Promise<Marked | undefined> {
    if (this.#unsettled >= this.#options.maxWaiting) return Promise.reject(this.#options.overflow());
    this.#unsettled += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Marked | undefined>();
    this.#enqueue([{ reading, tries: 0, resolve, reject }]);
    return promise.finally(() => (this.#unsettled -= 1));
  }

  /** Commits what waits, and gives up what is held. */
  async stop(): Promise<void> {
    for (const [timer, waiting] of this.#retries) {
      clearTimeout(timer);
      for (const { reject } of waiting) reject(this.#options.overflow());
    }
    this.#retries.clear();
    while (this.#running) await this.#running;
  }

  #enqueue(waiting: readonly Waiting[]): void {
    this.#waiting.push(...waiting);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await new Promise((run) => setImmediate(run)); // what came at the same time shares the first batch
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, this.#options.maxBatch));
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const rows = await this.#options.write(batch.map(({ reading }) => reading));
      const found = new Map(rows.map((row) => [keyOf(row), row]));
      const held: Waiting[] = [];
      for (const one of batch) {
        const row = found.get(keyOf(one.reading));
        if (row?.isHeld) held.push(one);
        // Of several readings of one member only the farthest has moved anything.
        else one.resolve(row && { ...row, hasMoved: row.hasMoved && one.reading.seq >= row.lastReadSeq });
      }
      this.#tryLater(held);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  #tryLater(held: Waiting[]): void {
    const { maxTries, overflow, retryMs } = this.#options;
    for (const one of held) one.tries += 1;
    const { again = [], never = [] } = Object.groupBy(held, ({ tries }) => (tries < maxTries ? 'again' : 'never'));
    for (const { reject } of never) reject(overflow());
    if (again.length === 0) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#enqueue(again);
    }, retryMs);
    this.#retries.set(timer, again);
  }
}

function keyOf({ roomId, userId }: { roomId: string; userId: string }): string {
  return `${roomId} ${userId}`;
}
