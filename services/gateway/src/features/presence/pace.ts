/** Over which is counted, ms. */
const PERIOD_MS = 250;
/** Sockets of a gateway that are to be told something in a second: with more, what could be told at once waits, too. */
const BUSY = 1_000;
/** How long what waits is gathered, ms. */
const WAIT_MS = 200;
const BUSY_WAIT_MS = 500;

/**
 * When a gateway tells its sockets who comes, goes and changes. All that waits is told in one moment, so that what
 * one socket is told of several users, rooms and kinds is one write. While a crowd comes, each of whom is told to
 * everybody in a room, writes are what a connect costs most.
 */
export class Pace {
  readonly #now: () => number;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #since: number;
  #wanted = 0;
  #isBusy = false;

  /** @param now ms, monotonic */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** So many sockets are to be told something, now or later. */
  count(sockets: number): void {
    this.#measure();
    this.#wanted += sockets;
  }

  /** Whether also that should wait which is told at once otherwise. */
  get isBusy(): boolean {
    this.#measure();
    return this.#isBusy;
  }

  /** Runs it when all that waits is told: once, however often it is asked for until then. */
  next(run: () => void): void {
    this.#waiting.add(run);
    this.#timer ??= setTimeout(() => this.#runAll(), this.isBusy ? BUSY_WAIT_MS : WAIT_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #runAll(): void {
    this.#timer = undefined;
    const due = [...this.#waiting];
    this.#waiting.clear();
    for (const run of due) run();
  }

  #measure(): void {
    const elapsed = this.#now() - this.#since;
    if (elapsed < PERIOD_MS) return;
    this.#isBusy = (this.#wanted * 1_000) / elapsed > BUSY;
    this.#wanted = 0;
    this.#since += elapsed;
  }
}
