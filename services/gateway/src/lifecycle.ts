import type { Log } from './platform/log.ts';

export type Phase = 'starting' | 'ready' | 'draining' | 'stopped';

interface Closer {
  name: string;
  close: () => unknown;
}

/**
 * The life of a gateway.
 *
 *   starting ──> ready ──> draining ──> stopped
 *       └───────(a failed start)──────────^
 *
 * Whoever opens something pushes its closer at once. `stop` runs the closers last in, first out, so that a thing is
 * closed before what it stands on; it also serves a start that fails half way. It can be called any number of times:
 * everybody waits for the same stop. A closer that hangs or throws does not keep the others from running.
 */
export class Lifecycle {
  #phase: Phase = 'starting';
  #closers: Closer[] = [];
  #stopping: Promise<void> | undefined;
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Registers what undoes the step just taken. */
  onStop(name: string, close: Closer['close']): void {
    this.#closers.push({ name, close });
  }

  ready(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** @param deadlineMs for each closer; past it the next one runs. */
  stop(deadlineMs: number): Promise<void> {
    this.#phase = this.#phase === 'stopped' ? 'stopped' : 'draining';
    this.#stopping ??= this.#runClosers(deadlineMs);
    return this.#stopping;
  }

  async #runClosers(deadlineMs: number): Promise<void> {
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      try {
        await withDeadline(Promise.resolve().then(closer.close), deadlineMs);
      } catch (error) {
        this.#log.error({ err: error, closer: closer.name }, 'could not be closed in order');
      }
    }
    this.#phase = 'stopped';
  }
}

async function withDeadline(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(() => timer.reject(new Error(`not closed within ${deadlineMs} ms`)), deadlineMs);
  try {
    await Promise.race([work, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}
