/** So much is being done and waits already. */
export class SlotsFullError extends Error {
  override readonly name = 'SlotsFullError';
}

/** Does at most `atOnce` things at a time, the others in the order they came; refuses when `waiting` wait already. */
export class Slots {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor({ atOnce, waiting }: { atOnce: number; waiting: number }) {
    this.#atOnce = atOnce;
    this.#mostWaiting = waiting;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** @throws SlotsFullError, or what the work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#atOnce) this.#busy += 1;
    else if (this.#queue.length >= this.#mostWaiting) throw new SlotsFullError(`${this.#mostWaiting} wait already`);
    else await new Promise<void>((resolve) => this.#queue.push(resolve)); // the slot is handed on, busy as it is
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#busy -= 1;
    }
  }
}
