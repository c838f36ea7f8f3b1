/** So much is being done and waits already, or somebody has waited for too long. */
export class SlotsFullError extends Error {
  override readonly name = 'SlotsFullError';
}

export interface SlotsOptions {
  atOnce: number;
  /** How many may wait. */
  waiting: number;
  /** Who has waited for longer is refused when it is their turn, ms. Default: nobody. */
  patienceMs?: number;
}

/** Does at most `atOnce` things at a time, the others in the order they came; refuses when `waiting` wait already. */
export class Slots {
  readonly #options: Required<SlotsOptions>;
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor(options: SlotsOptions) {
    this.#options = { patienceMs: Infinity, ...options };
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** @throws SlotsFullError, or what the work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { atOnce, waiting, patienceMs } = this.#options;
    const since = performance.now();
    if (this.#busy < atOnce) this.#busy += 1;
    else if (this.#queue.length >= waiting) throw new SlotsFullError(`${waiting} wait already`);
    else await new Promise<void>((resolve) => this.#queue.push(resolve)); // the slot is handed on, busy as it is
    try {
      if (performance.now() - since > patienceMs) throw new SlotsFullError(`no slot within ${patienceMs} ms`);
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#busy -= 1;
    }
  }
}
