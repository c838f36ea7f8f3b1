/** After a failure the work is tried again, ms. */
const RETRY_AFTER_MS = 1_000;

export interface BatchesOptions<Key, Value> {
  /** Does the work for all of a batch. What it throws puts the batch back: it has to be safe to do twice. */
  work: (batch: ReadonlyMap<Key, Value>) => Promise<void>;
  /** Puts what is wanted twice for one key together. Default: the later one counts. */
  merge?: (earlier: Value, later: Value) => Value;
  /** The most keys of one batch. Default 500. */
  most?: number;
  onError: (error: unknown) => void;
}

/**
 * Work that is cheaper together: while one batch is being done the next one gathers, so that nothing waits when there is
 * little to do, and batches grow with the load. A batch that fails is tried again every second, and at `retry`.
 */
export class Batches<Key, Value> {
  readonly #options: Required<BatchesOptions<Key, Value>>;
  #next = new Map<Key, Value>();
  #failed = new Map<Key, Value>();
  /** Of the batch that gathers, and of the one that is being done. */
  #gathering: PromiseWithResolvers<void> | undefined;
  #underWay: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: BatchesOptions<Key, Value>) {
    this.#options = { merge: (_earlier, later) => later, most: 500, ...options };
  }

  /** What waits, with what has failed. */
  get size(): number {
    return this.#next.size + this.#failed.size;
  }

  /** Resolves once it was tried, whatever came of it. */
  add(key: Key, value: Value): Promise<void> {
    const earlier = this.#next.get(key) ?? this.#failed.get(key);
    this.#failed.delete(key);
    this.#next.set(key, earlier === undefined ? value : this.#options.merge(earlier, value));
    return this.attempted();
  }

  /** Resolves once all that waits now was tried, whatever comes after it. */
  attempted(): Promise<void> {
    if (this.#next.size === 0) return this.#underWay ?? Promise.resolve();
    this.#gathering ??= Promise.withResolvers();
    this.#running ??= this.#run();
    return this.#gathering.promise;
  }

  /** For a stop: resolves once nothing waits any more. */
  async drained(): Promise<void> {
    await this.attempted();
    await this.#running;
  }

  /** Tries at once what has failed. */
  retry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    for (const [key, value] of this.#failed) void this.add(key, value);
  }

  /** Nothing is tried again. What is under way goes on: see `drained`. */
  stop(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#failed.clear();
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate); // what comes in one go is one batch
    while (this.#next.size > 0) {
      const batch = this.#take();
      const gathered = this.#gathering;
      // What was too much for this batch is still waited for.
      if (this.#next.size === 0) this.#gathering = undefined;
      this.#underWay = gathered?.promise;
      try {
        await this.#options.work(batch);
      } catch (error) {
        this.#options.onError(error);
        this.#putBack(batch);
      }
      this.#underWay = undefined;
      if (this.#gathering !== gathered) gathered?.resolve();
    }
    this.#running = undefined;
  }

  #take(): Map<Key, Value> {
    const { most } = this.#options;
    if (this.#next.size <= most) {
      const batch = this.#next;
      this.#next = new Map();
      return batch;
    }
    const batch = new Map([...this.#next].slice(0, most));
    for (const key of batch.keys()) this.#next.delete(key);
    return batch;
  }

  #putBack(batch: ReadonlyMap<Key, Value>): void {
    for (const [key, value] of batch) {
      const later = this.#next.get(key);
      if (later === undefined) this.#failed.set(key, value);
      else this.#next.set(key, this.#options.merge(value, later));
    }
    if (this.#failed.size > 0) this.#retryTimer ??= setTimeout(() => this.retry(), RETRY_AFTER_MS);
  }
}
