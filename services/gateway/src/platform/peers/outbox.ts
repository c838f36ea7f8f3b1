/** At most one publish in this time, ms. */
const WINDOW_MS = 20;

/**
 * What a gateway tells all others: at once when nothing was told for a moment, otherwise together with all else that is
 * told within 20 ms of the last publish. Each publish costs every gateway as much as a message, and while a crowd comes,
 * each of whom becomes a member, there would be several for each.
 */
export class Outbox<Line> {
  readonly #publish: (lines: readonly Line[]) => void;
  #lines: Line[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: (lines: readonly Line[]) => void) {
    this.#publish = publish;
  }

  add(line: Line): void {
    this.#lines.push(line);
    if (!this.#timer) this.flush();
  }

  /** Does not wait for the window: for what somebody waits for. Behind all that was added before, like everything. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#publish(lines);
    this.#timer = setTimeout(() => this.flush(), WINDOW_MS);
  }
}
