/** How long Redis is left alone after a failure, ms; then one request tries it again. */
const PAUSE_MS = 1_000;

/** Thrown instead of asking. The caller decides by what it knows itself. */
export class CircuitOpen extends Error {
  override readonly name = 'CircuitOpen';
}

export interface CircuitOptions {
  /** Monotonic, ms. */
  now: () => number;
  /** Told once when it opens, with the reason, and once when it closes. */
  onOpen?: (error: unknown) => void;
  onClose?: () => void;
}

/**
 * Keeps requests from waiting for a store that does not answer.
 *
 *   closed ──a failure──> open ──1 s──> one request tries ──answered──> closed
 *                          ^────────────────failed──┘
 *
 * When it opens, everything that is under way fails at once: of a crowd only the first waits for its time-out.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #underWay = new Set<(error: unknown) => void>();
  #openUntil = 0;
  #isOpen = false;
  #isTrying = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  /** Whether a request that is made now would be carried out. */
  get isPassable(): boolean {
    return !this.#isOpen || (!this.#isTrying && this.#options.now() >= this.#openUntil);
  }

  /** @throws CircuitOpen, and what the work throws */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isPassable) return Promise.reject(new CircuitOpen('Left alone after a failure'));
    this.#isTrying = this.#isOpen;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#underWay.add(reject);
    work().then(
      (value) => {
        this.#underWay.delete(reject);
        this.#close();
        resolve(value);
      },
      (error: unknown) => {
        if (this.#underWay.has(reject)) this.#open(error); // else it has failed with another one before
      },
    );
    return promise;
  }

  #open(error: unknown): void {
    this.#openUntil = this.#options.now() + PAUSE_MS;
    this.#isTrying = false;
    if (!this.#isOpen) this.#options.onOpen?.(error);
    this.#isOpen = true;
    const failed = [...this.#underWay];
    this.#underWay.clear();
    for (const fail of failed) fail(error);
  }

  #close(): void {
    this.#isTrying = false;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.onClose?.();
  }
}
