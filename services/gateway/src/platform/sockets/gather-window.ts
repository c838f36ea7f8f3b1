/** The longest that a packet waits for others to the same socket, ms. */
const MAX_WINDOW_MS = 24;
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
 */
export class GatherWindow {
  readonly #now: () => number;
  #since: number;
  #packets = 0;
  #sockets = 0;
  #ms = 0;
  #forAllMs = 0;
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
    const load = Math.min(1, Math.max(0, (perSecond - CALM) / (BUSY - CALM)));
    this.#forAllMs = Math.round(load * MAX_WINDOW_MS);
    this.#ms = perSocket < WORTHWHILE ? 0 : this.#forAllMs;
    this.#since = this.#now();
    this.#packets = 0;
    this.#sockets = 0;
    this.period += 1;
  }
}
