export interface CommitPaceOptions {
  /** How far the beginnings of two batches are to be apart at the moment, ms. 0: not at all. */
  apartMs: () => number;
  /** A clock that only goes forward, ms. Default `performance.now`. */
  now?: () => number;
  /** Default `setTimeout`, or `setImmediate` when there is nothing to wait for. */
  after?: (ms: number, run: () => void) => void;
}

/**
 * When batches may begin: what came in the same turn of the event loop shares one, and a busy gateway begins them some
 * time apart. A commit costs PostgreSQL, its disk and this gateway nearly the same for one message as for ten. A batch
 * after a pause waits for nothing.
 *
 * @returns what `MessageWriter` takes as `defer`
 */
export function commitPace({
  apartMs,
  now = () => performance.now(),
  after = runAfter,
}: CommitPaceOptions): (begin: () => void) => void {
  let begunAt = -Infinity;
  return (begin) => {
    after(Math.max(0, begunAt + apartMs() - now()), () => {
      begunAt = now();
      begin();
    });
  };
}

function runAfter(ms: number, run: () => void): void {
  if (ms === 0) setImmediate(run);
  else setTimeout(run, ms);
}
