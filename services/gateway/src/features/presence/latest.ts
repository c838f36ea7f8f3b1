/** For so long something that was overtaken is recognised, ms: far longer than gateways and Redis delay anything. */
const KEEP_MS = 10_000;

/**
 * Remembers for a while what was last said of something, and by which version, so that what comes from several gateways
 * in another order than it happened ends as it is. Two generations, so that forgetting costs no timer and no scan.
 */
export class Latest<Value> {
  #young = new Map<string, { version: number; value: Value }>();
  #old = new Map<string, { version: number; value: Value }>();
  #turnedAt = Date.now();

  /** What was last said, if that was a moment ago. */
  get(key: string): { version: number; value: Value } | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  set(key: string, version: number, value: Value): void {
    const now = Date.now();
    if (now - this.#turnedAt > KEEP_MS) {
      this.#old = now - this.#turnedAt > 2 * KEEP_MS ? new Map() : this.#young;
      this.#young = new Map();
      this.#turnedAt = now;
    }
    this.#young.set(key, { version, value });
  }
}
