/**
 * Things that are due at a time, kept with one timer however many there are: those of one step of `resolutionMs` fire
 * together. Firing is never early, and late by less than a step.
 */
export class Agenda<T> {
  readonly #buckets = new Map<number, Set<T>>();
  readonly #stepOf = new Map<T, number>();
  readonly #fire: (item: T) => void;
  readonly #resolutionMs: number;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  /** @param resolutionMs the length of a step. Default a second. */
  constructor(fire: (item: T) => void, { resolutionMs = 1_000 }: { resolutionMs?: number } = {}) {
    this.#fire = fire;
    this.#resolutionMs = resolutionMs;
  }

  get size(): number {
    return this.#stepOf.size;
  }

  /** Sets or moves the one appointment of an item. @param atMs ms since the epoch */
  set(item: T, atMs: number): void {
    this.delete(item);
    const step = Math.ceil(atMs / this.#resolutionMs);
    const bucket = this.#buckets.get(step);
    if (bucket) bucket.add(item);
    else this.#buckets.set(step, new Set([item]));
    this.#stepOf.set(item, step);
    if (step < this.#timerAt) this.#arm(step);
  }

  delete(item: T): void {
    const step = this.#stepOf.get(item);
    if (step === undefined) return;
    this.#stepOf.delete(item);
    const bucket = this.#buckets.get(step);
    bucket?.delete(item);
    if (bucket?.size === 0) this.#buckets.delete(step);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    this.#buckets.clear();
    this.#stepOf.clear();
  }

  /** Timers beyond 2^31 ms fire at once, so a far appointment is approached in days. */
  #arm(step: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = step;
    const waitMs = Math.min(Math.max(0, step * this.#resolutionMs - Date.now()), 86_400_000);
    this.#timer = setTimeout(() => this.#due(), waitMs);
  }

  #due(): void {
    const now = Date.now();
    this.#timerAt = Infinity;
    for (const [step, bucket] of this.#buckets) {
      if (step * this.#resolutionMs > now) continue;
      this.#buckets.delete(step);
      for (const item of bucket) {
        this.#stepOf.delete(item);
        this.#fire(item);
      }
    }
    if (this.#buckets.size > 0) this.#arm(Math.min(...this.#buckets.keys()));
  }
}
