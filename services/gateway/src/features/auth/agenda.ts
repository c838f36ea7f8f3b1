/**
 * Things that are due at a whole second, kept with one timer however many there are. Firing is never early, and late by
 * less than a second.
 */
export class Agenda<T> {
  readonly #buckets = new Map<number, Set<T>>();
  readonly #secondOf = new Map<T, number>();
  readonly #fire: (item: T) => void;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  constructor(fire: (item: T) => void) {
    this.#fire = fire;
  }

  get size(): number {
    return this.#secondOf.size;
  }

  /** Sets or moves the one appointment of an item. @param atMs ms since the epoch */
  set(item: T, atMs: number): void {
    this.delete(item);
    const second = Math.ceil(atMs / 1_000);
    const bucket = this.#buckets.get(second);
    if (bucket) bucket.add(item);
    else this.#buckets.set(second, new Set([item]));
    this.#secondOf.set(item, second);
    if (second < this.#timerAt) this.#arm(second);
  }

  delete(item: T): void {
    const second = this.#secondOf.get(item);
    if (second === undefined) return;
    this.#secondOf.delete(item);
    const bucket = this.#buckets.get(second);
    bucket?.delete(item);
    if (bucket?.size === 0) this.#buckets.delete(second);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    this.#buckets.clear();
    this.#secondOf.clear();
  }

  /** Timers beyond 2^31 ms fire at once, so a far appointment is approached in days. */
  #arm(second: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = second;
    const waitMs = Math.min(Math.max(0, second * 1_000 - Date.now()), 86_400_000);
    this.#timer = setTimeout(() => this.#due(), waitMs);
  }

  #due(): void {
    const now = Date.now();
    this.#timerAt = Infinity;
    for (const [second, bucket] of this.#buckets) {
      if (second * 1_000 > now) continue;
      this.#buckets.delete(second);
      for (const item of bucket) {
        this.#secondOf.delete(item);
        this.#fire(item);
      }
    }
    if (this.#buckets.size > 0) this.#arm(Math.min(...this.#buckets.keys()));
  }
}
