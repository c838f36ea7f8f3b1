import type { Timer } from '../ports.ts';

interface Due {
  at: number;
  order: number;
  run: () => void;
}

/** Time that passes only when it is told to. Things due at the same moment happen in the order they were planned. */
export class SimulatedClock implements Timer {
  now = 0;
  #order = 0;
  #plan: Due[] = [];

  after(ms: number, run: () => void): () => void {
    const due = { at: this.now + ms, order: (this.#order += 1), run };
    this.#plan.push(due);
    return () => {
      this.#plan = this.#plan.filter((other) => other !== due);
    };
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Lets everything happen that is due within `ms`, with all that promises do in between. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    await settle();
    for (;;) {
      const next = this.#plan.reduce<Due | undefined>(
        (first, due) => (!first || due.at < first.at || (due.at === first.at && due.order < first.order) ? due : first),
        undefined,
      );
      if (!next || next.at > until) break;
      this.#plan = this.#plan.filter((due) => due !== next);
      this.now = next.at;
      next.run();
      await settle();
    }
    this.now = until;
  }
}

/** All promise reactions run before the next turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
