/** How a message fits into what one socket heard of one room before. */
export type Verdict = 'next' | 'ahead' | 'late' | 'repeat';

/**
 * Checks what one socket hears of one room against guarantee 2: each `seq` once, in order, none left out. A socket that
 * also hears its own messages (`echo`) hears them all.
 */
export class StreamCheck {
  /** The highest `seq` that was seen, or where the stream begins. */
  last: number;
  /** Came after one with a higher `seq`. */
  reordered = 0;
  /** Came again. */
  repeats = 0;
  #holes: Set<number> | undefined;

  /** @param head the `seq` up to which the answer of the join or the sync went */
  constructor(head: number) {
    this.last = head;
  }

  /** How many were left out so far, up to the highest that was seen. */
  get holes(): number {
    return this.#holes?.size ?? 0;
  }

  see(seq: number): Verdict {
    if (seq === this.last + 1) {
      this.last = seq;
      return 'next';
    }
    if (seq > this.last) {
      this.#holes ??= new Set();
      for (let left = this.last + 1; left < seq; left += 1) this.#holes.add(left);
      this.last = seq;
      return 'ahead';
    }
    if (this.#holes?.delete(seq) === true) {
      this.reordered += 1;
      return 'late';
    }
    this.repeats += 1;
    return 'repeat';
  }

  /** How many of the messages up to `head` did not come. */
  missing(head: number): number {
    return this.holes + Math.max(0, head - this.last);
  }

  /** The stream goes on after `head`: what came before it, or is missing before it, counts no more. */
  restart(head: number): void {
    this.last = head;
    this.#holes = undefined;
  }
}
