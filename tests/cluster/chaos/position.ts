/** How far a client has come in one log without a gap: what it may say as its cursor. */
export class Position {
  #at = 0;
  readonly #early = new Set<number>();

  get at(): number {
    return this.#at;
  }

  /**
   * A page up to `head` was given. It may be behind: one's own message was acknowledged while the page was read, and is
   * not told again.
   */
  page(head: number): void {
    this.#at = Math.max(this.#at, head);
    for (const number of this.#early) if (number <= head) this.#early.delete(number);
    this.#advance();
  }

  /** Something was told or acknowledged; an own message can be acknowledged before the ones below it are told. */
  add(number: number): void {
    if (number <= this.#at) return;
    this.#early.add(number);
    this.#advance();
  }

  #advance(): void {
    while (this.#early.delete(this.#at + 1)) this.#at += 1;
  }
}
