import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long the check may go on failing. Default 10 s. */
  timeoutMs?: number;
  /** The pause between two checks. Default 20 ms. */
  everyMs?: number;
  /** What was waited for, put before the last error's message. */
  message?: string;
}

/**
 * Runs the check until it passes, and returns its value. After the time-out it throws an Error with the last failure
 * as its message and cause. The check fails by throwing; what it returns does not matter, `false` passes too.
 */
export async function eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 10_000, everyMs = 20, message } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= deadline) {
        const last = error instanceof Error ? error.message : String(error);
        throw new Error(`${message === undefined ? '' : `${message}: `}still failing after ${timeoutMs} ms: ${last}`, {
          cause: error,
        });
      }
    }
    await delay(everyMs);
  }
}
