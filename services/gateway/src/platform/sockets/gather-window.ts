/** The longest that a packet waits for others to the same socket while there are processors to spare, ms. */
const MAX_WINDOW_MS = 24;
/** The longest where there are none. */
const MAX_STRAINED_MS = 40;
/** How late the ends of windows come, on average, ms: up to the first is usual, from the second on none are to spare. */
const USUALLY_LATE_MS = 1;
const STRAINED_MS = 4;
/** Packets of a gateway in a second: up to the first nothing waits, from the second on the whole window. */
const CALM = 2_000;
const BUSY = 16_000;
/** With fewer packets for each socket in the longest window, waiting would join too few of them to be worth it. */
const WORTHWHILE = 0.5;
/** Over which is counted, ms. */
const PERIOD_MS = 250;

/**
 * How long what is told to sockets is gathered before it is written. System calls are what a broadcast costs, here, in
 * the proxy and in the client; a socket's packets of one window share one. So the window grows with the load, and is
 * nothing where nothing would be won: while there is little to do, and while each socket is told too rarely for two of
 * its packets to meet.
 *
 * At which load the processors are used up differs by machine and by what else runs on it. It shows in windows that end
 * late; then a packet waits less in a longer window than in the queue for a processor.
 */
export class GatherWindow {
  readonly #now: () => number;
  #since: number;
  #packets = 0;
  #sockets = 0;
  #ms = 0;
  #forAllMs = 0;
  #ends = 0;
  #lateMs = 0;
  /** Over the last periods. */
  #usuallyLateMs = 0;
  /** Changes with every period: marks the sockets that were counted in it. */
  period = 0;

  /** @param now ms, monotonic */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** A packet was told. @param isFirst to this socket, in this period */
  count(isFirst: boolean): void {
    this.#packets += 1;
    if (isFirst) this.#sockets += 1;
  }

  /** A window ended, so much after its time. */
  ended(lateMs: number): void {
    this.#ends += 1;
    this.#lateMs += Math.max(0, lateMs);
  }

  /** How long to gather from now on, ms. 0: to the end of this turn of the event loop. */
  get ms(): number {
    this.#measure();
    return this.#ms;
  }

  /** The same for what is gathered for all sockets, whether each is told often or not. */
  get forAllMs(): number {
    this.#measure();
    return this.#forAllMs;
  }

  #measure(): void {
    const elapsedMs = this.#now() - this.#since;
    if (elapsedMs < PERIOD_MS) return;
    const perSecond = (this.#packets * 1_000) / elapsedMs;
    const perSocket = (this.#packets / Math.max(1, this.#sockets)) * (MAX_WINDOW_MS / elapsedMs);
    this.#usuallyLateMs = (this.#usuallyLateMs + this.#lateMs / Math.max(1, this.#ends)) / 2;
    const load = share(perSecond, CALM, BUSY);
    const strain = load === 0 ? 0 : share(this.#usuallyLateMs, USUALLY_LATE_MS, STRAINED_MS);
    this.#forAllMs = Math.round(Math.max(load, strain) * MAX_WINDOW_MS + strain * (MAX_STRAINED_MS - MAX_WINDOW_MS));
    this.#ms = perSocket < WORTHWHILE ? 0 : this.#forAllMs;
    this.#since = this.#now();
    this.#packets = 0;
    this.#sockets = 0;
    this.#ends = 0;
    this.#lateMs = 0;
    this.period += 1;
  }
}

/** How far a value is from one bound to another, 0 to 1. */
function share(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
