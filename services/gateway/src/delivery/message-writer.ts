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
  /** Commits a batch in one transaction and answers in the order of the batch. */
  append: (batch: readonly NewMessage[]) => Promise<readonly Outcome[]>;
  /** Whether the transaction is known to have changed nothing and is worth another try. */
  isTransient: (error: unknown) => boolean;
  /** Whether the store is away: what failed by it fails together. */
  isUnavailable: (error: unknown) => boolean;
  /** Thrown for messages beyond the bound. */
  overflow: () => Error;
  /** Most messages in one commit. Default 200: past it a batch takes longer and gains nothing. */
  maxBatch?: number;
  /** Most messages waiting. Default 10,000. */
  maxWaiting?: number;
  /** Tries of one batch. Default 3. */
  maxTries?: number;
  /** Runs the first batch after what came at the same time has gathered. Default `setImmediate`. */
  defer?: (run: () => void) => void;
}

interface Waiting<Outcome> {
  message: NewMessage;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit. While one batch is being committed the next one gathers, whatever rooms its messages belong to; so a
 * commit costs the more messages share it, and a lone message waits for nobody.
 *
 * One batch is under way at a time, and messages enter it in the order they came: what one socket sends to one room gets
 * its `seq` in that order. Outcomes are told in the same order.
 *
 * A batch that fails for another reason than an absent store or a lost race is halved until the message at fault is
 * alone.
 */
export class MessageWriter<Outcome> {
  readonly #options: Required<MessageWriterOptions<Outcome>>;
  #waiting: Waiting<Outcome>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: MessageWriterOptions<Outcome>) {
    this.#options = { maxBatch: 200, maxWaiting: 10_000, maxTries: 3, defer: setImmediate, ...options };
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves once the outcome is committed. */
  append(message: NewMessage): Promise<Outcome> {
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.reject(this.#options.overflow());
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.#waiting.push({ message, resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when all that was given has its outcome. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // What arrives in the same turn of the event loop shares the first batch.
    await new Promise<void>((run) => this.#options.defer(run));
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, this.#options.maxBatch));
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting<Outcome>[], tries = 1): Promise<void> {
    const { append, isTransient, isUnavailable, maxTries } = this.#options;
    try {
      const outcomes = await append(batch.map(({ message }) => message));
      batch.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
    } catch (error) {
      if (isTransient(error) && tries < maxTries) return this.#commit(batch, tries + 1);
      if (isTransient(error) || isUnavailable(error) || batch.length === 1) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const half = Math.ceil(batch.length / 2);
      await this.#commit(batch.slice(0, half));
      await this.#commit(batch.slice(half));
    }
  }
}
