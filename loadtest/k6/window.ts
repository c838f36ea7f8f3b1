import { Histogram, type Counts } from '../measure/histogram.ts';

/** What one virtual user saw in one second, as a line of its output. Times are histograms of microseconds. */
export interface Window {
  /** The virtual user. */
  vu: number;
  /** Seconds since the start of the run. */
  second: number;
  /** Clients that hear their rooms at its end. */
  hearing: number;
  counts: Partial<Record<Count, number>>;
  /** Refusals and lost connections, by code or reason. */
  errors: Record<string, number>;
  times: Partial<Record<Time, Counts>>;
}

/** Each is a metric of k6, too. */
export const COUNTS = [
  'deliveries',
  'caught_up',
  'sends',
  'acked',
  'unanswered',
  'resent',
  'gaps',
  'repeats',
  'reordered',
  'crosstalk',
  'truncated',
  'resyncs',
  'lost_connections',
  'failed_connects',
  'reconnects',
] as const;
export type Count = (typeof COUNTS)[number];

/**
 * `connect`: from the start of a connection to the answer of the join. `ack`: of sends, `delivery`: from the sender's
 * clock to the socket. `recovery`: from the loss of a connection until caught up. `request`: what the scenario is about, where that is not a
 * send. `lag`: k6's own, from the socket to the script, and from when a connection was due to its start.
 */
export const TIMES = ['connect', 'ack', 'delivery', 'recovery', 'request', 'lag'] as const;
export type Time = (typeof TIMES)[number];

/** Marks a window in the output of k6, among whatever else is printed. */
export const WINDOW_MARK = '~window ';

/** Gathers what happens in a second. */
export class WindowCollector {
  readonly #times = new Map<Time, Histogram>();
  #counts: Window['counts'] = {};
  #errors: Window['errors'] = {};

  count(name: Count, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  error(code: string): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }

  time(name: Time, ms: number): void {
    let histogram = this.#times.get(name);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.#times.set(name, histogram);
    }
    histogram.add(ms * 1000);
  }

  /** What was gathered since the last call. */
  take({ vu, second, hearing }: Pick<Window, 'vu' | 'second' | 'hearing'>): Window {
    const times: Window['times'] = {};
    for (const [name, histogram] of this.#times) {
      if (histogram.count > 0) times[name] = histogram.counts();
      histogram.clear();
    }
    const window = { vu, second, hearing, counts: this.#counts, errors: this.#errors, times };
    this.#counts = {};
    this.#errors = {};
    return window;
  }
}
