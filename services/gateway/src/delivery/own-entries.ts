interface Own<Hearer> {
  hearer: Hearer;
  /** Sweeps since its outcome is known; undefined while it is not. */
  age: number | undefined;
}

/** Sweeps after which an entry whose outcome is known is forgotten in any case. */
const MAX_AGE = 30;

/**
 * Entries that hearers of this gateway are writing themselves. They get them as the answer to their request, so the
 * stream must not tell them as well. An entry can come back from the store before the request is answered, hence it is
 * registered by its id before it is committed, and forgotten when its stream has passed it.
 */
export class OwnEntries<Hearer> {
  readonly #own = new Map<string, Own<Hearer>>();

  get size(): number {
    return this.#own.size;
  }

  add(id: string, hearer: Hearer): void {
    this.#own.set(id, { hearer, age: undefined });
  }

  /** The hearer that is told otherwise; asking ends it, since a stream passes an entry once. */
  take(id: string): Hearer | undefined {
    const own = this.#own.get(id);
    if (own) this.#own.delete(id);
    return own?.hearer;
  }

  /** The outcome is known, and the stream will pass the entry yet. */
  settle(id: string): void {
    const own = this.#own.get(id);
    if (own) own.age = 0;
  }

  /** @returns false when its stream has passed it already */
  delete(id: string): boolean {
    return this.#own.delete(id);
  }

  /** Forgets what no stream has passed for long: its room was left, or its stream was cut. */
  sweep(): void {
    for (const [id, own] of this.#own) {
      if (own.age === undefined) continue;
      own.age += 1;
      if (own.age > MAX_AGE) this.#own.delete(id);
    }
  }
}
