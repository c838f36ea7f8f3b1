export type Deferred<T> = PromiseWithResolvers<T>;

/** A promise and the two functions that settle it. */
export function deferred<T = void>(): Deferred<T> {
  return Promise.withResolvers<T>();
}

/**
 * The promise's outcome, or an Error that says `what` did not come after `timeoutMs` (default 10 s). The work behind
 * the promise goes on.
 */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = 10_000): Promise<T> {
  const late = deferred<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`${what} did not come within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
