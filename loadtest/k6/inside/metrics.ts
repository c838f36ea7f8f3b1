import { Counter, Trend } from 'k6/metrics';
import { COUNTS, TIMES, WINDOW_MARK, WindowCollector, type Count, type Time } from '../window.ts';

/** k6's own metrics, on which the thresholds are. */
const counters = new Map(COUNTS.map((name) => [name, new Counter(name)]));
const trends = new Map(TIMES.map((name) => [name, new Trend(`${name}_time`, true)]));
const errors = new Counter('errors');

/**
 * Counts for one virtual user: exactly and by the second for the runner, and as k6's metrics. Those get counts once a second.
 * Every delivery is counted and checked, but only of a share the times are taken: that costs k6 as much as the rest.
 */
export class Recorder {
  readonly #window = new WindowCollector();
  readonly #sample: number;
  /** Since the last second. A field of its own, since it is counted so often. */
  #deliveries = 0;
  #untimed = 0;
  /** From then on times count. */
  measuring = false;

  constructor(sample: number) {
    this.#sample = sample;
    // A threshold on a metric without a value would not be judged.
    for (const counter of [...counters.values(), errors]) counter.add(0);
  }

  count(name: Count, by = 1): void {
    this.#window.count(name, by);
  }

  error(code: string): void {
    this.note(code);
    errors.add(1, { code });
  }

  /** Shows up among the errors, and is none. */
  note(reason: string): void {
    this.#window.error(reason);
  }

  /** Counts a delivery. @returns whether it is one of those whose times are taken */
  delivered(): boolean {
    this.#deliveries += 1;
    this.#untimed += 1;
    if (!this.measuring || this.#untimed < this.#sample) return false;
    this.#untimed = 0;
    return true;
  }

  /** What is about the connects counts from the start on, all else while it is measured. */
  time(name: Time, ms: number): void {
    if (!this.measuring && name !== 'connect' && name !== 'lag') return;
    this.#window.time(name, ms);
    trends.get(name)?.add(Math.max(0, ms));
  }

  /** Tells the runner, and k6, what the last second brought. */
  flush(at: { vu: number; second: number; hearing: number }): void {
    if (this.#deliveries > 0) this.#window.count('deliveries', this.#deliveries);
    this.#deliveries = 0;
    const window = this.#window.take(at);
    for (const [name, by] of Object.entries(window.counts)) counters.get(name as Count)?.add(by);
    console.log(WINDOW_MARK + JSON.stringify(window));
  }
}
