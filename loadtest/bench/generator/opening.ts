import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from '../../measure/histogram.ts';
import type { Client } from './client.ts';
import { nowMicros } from './clock.ts';
import type { Opened, Pace } from './orders.ts';

/** Opens clients, and keeps what became of it. */
export class Opening {
  readonly #failures: Record<string, number> = {};
  readonly #handshake = new Histogram();
  readonly #lateness = new Histogram();
  #lastAt = 0;

  /** So many at a time: the next begins when one is done. */
  async atOnce(clients: readonly Client[], many: number): Promise<void> {
    const queue = clients.values();
    const openNext = async (): Promise<void> => {
      for (const client of queue) await this.#open(client, nowMicros());
    };
    await Promise.all(Array.from({ length: many }, openNext));
  }

  /** Each in its turn, by its number among all clients of the run, so that those of all generators are evenly spaced. */
  async steadily(clients: readonly Client[], { perSecond, beginAt }: Pace): Promise<void> {
    const under: Promise<void>[] = [];
    for (const client of clients) {
      const due = beginAt + (client.number * 1e6) / perSecond;
      while (nowMicros() < due) await sleep(1);
      this.#lateness.add(nowMicros() - due);
      under.push(this.#open(client, due));
    }
    await Promise.all(under);
  }

  /** @param begin when the first one was due, in microseconds */
  result(begin: number): Omit<Opened, 'hearing'> {
    return {
      failures: this.#failures,
      handshake: this.#handshake.counts(),
      lateness: this.#lateness.counts(),
      seconds: Math.max(0, this.#lastAt - begin) / 1e6,
    };
  }

  async #open(client: Client, since: number): Promise<void> {
    try {
      await client.open();
      this.#lastAt = nowMicros();
      this.#handshake.add(this.#lastAt - since);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#failures[reason] = (this.#failures[reason] ?? 0) + 1;
    }
  }
}
