/** A range of numbers: above `after`, up to and with `upTo`. */
export interface Span {
  after: number;
  upTo: number;
}

/** Early ones that are kept. More are forgotten and read from the store when their turn comes. */
const MAX_EARLY = 1_000;

/**
 * Puts numbered items into order. Numbers have no gaps, so what comes next is always known: an item is handed on when
 * all before it were, waits when it is early, and is dropped when it was there before.
 */
export class Sequence<T> {
  #next: number;
  #known: number;
  readonly #early = new Map<number, T>();

  /** @param head the last number that needs no handing on */
  constructor(head: number) {
    this.#next = head + 1;
    this.#known = head;
  }

  /** The last number that was handed on. */
  get position(): number {
    return this.#next - 1;
  }

  /** The highest number that is known to exist. */
  get known(): number {
    return this.#known;
  }

  /** @returns the items whose turn it is now, in order; often none or one */
  accept(number: number, item: T): T[] {
    this.knows(number);
    if (number < this.#next) return [];
    if (number > this.#next) {
      if (this.#early.size < MAX_EARLY) this.#early.set(number, item);
      return [];
    }
    const due = [item];
    this.#next += 1;
    for (let early = this.#early.get(this.#next); early !== undefined; early = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      this.#next += 1;
      due.push(early);
    }
    return due;
  }

  /** There are items up to `head`, whether they have arrived or not. */
  knows(head: number): void {
    if (head > this.#known) this.#known = head;
  }

  /** What has to arrive, or be read, before anything else can be handed on. */
  get missing(): Span | undefined {
    if (this.#known < this.#next) return undefined;
    let upTo = this.#known;
    for (const early of this.#early.keys()) if (early <= upTo) upTo = early - 1;
    return { after: this.#next - 1, upTo };
  }

  /** Gives up what is missing: goes on behind `head`. */
  skipTo(head: number): T[] {
    if (head < this.#next) return [];
    for (const early of this.#early.keys()) if (early <= head) this.#early.delete(early);
    this.#next = head + 1;
    this.knows(head);
    const follower = this.#early.get(this.#next);
    if (follower === undefined) return [];
    this.#early.delete(this.#next);
    return this.accept(this.#next, follower);
  }
}
