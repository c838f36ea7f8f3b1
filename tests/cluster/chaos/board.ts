/** What happened within one second. */
export interface Second {
  /** Since the epoch, s. */
  at: number;
  delivered: number;
  acked: number;
  /** From the first send to the delivery, ms: a sample. */
  latencies: number[];
  ackLatencies: number[];
}

const SAMPLE = 400;

/** Counts what all clients are told, second by second. */
export class Board {
  readonly seconds = new Map<number, Second>();

  delivered(latencyMs: number): void {
    const second = this.#now();
    second.delivered += 1;
    sample(second.latencies, latencyMs, second.delivered);
  }

  acked(latencyMs: number): void {
    const second = this.#now();
    second.acked += 1;
    sample(second.ackLatencies, latencyMs, second.acked);
  }

  /** All seconds from the first to the last one, the empty ones as well. */
  timeline(): Second[] {
    const times = [...this.seconds.keys()];
    if (times.length === 0) return [];
    const [first, last] = [Math.min(...times), Math.max(...times)];
    return Array.from(
      { length: last - first + 1 },
      (_, index) => this.seconds.get(first + index) ?? empty(first + index),
    );
  }

  #now(): Second {
    const at = Math.floor(Date.now() / 1_000);
    let second = this.seconds.get(at);
    if (!second) {
      second = empty(at);
      this.seconds.set(at, second);
    }
    return second;
  }
}

function empty(at: number): Second {
  return { at, delivered: 0, acked: 0, latencies: [], ackLatencies: [] };
}

/** Reservoir sampling: each of the `seen` values is equally likely to be among those that are kept. */
function sample(values: number[], value: number, seen: number): void {
  if (values.length < SAMPLE) values.push(value);
  else {
    const place = Math.floor(Math.random() * seen);
    if (place < SAMPLE) values[place] = value;
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
