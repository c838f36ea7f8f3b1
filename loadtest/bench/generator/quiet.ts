import { setTimeout as sleep } from 'node:timers/promises';
import type { Tally } from './tally.ts';

const POLL_MS = 20;
/** When nothing more comes for so long, what is missing does not come. */
const QUIET_MS = 3_000;
const LONGEST_WAIT_MS = 30_000;

/** Waits until all has come, or nothing more does. */
export async function untilQuiet(tally: Tally, isComplete: () => boolean): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  let progressAt = Date.now();
  let seen = -1;
  while (!isComplete()) {
    const progress = tally.deliveries + tally.acked;
    if (progress !== seen) progressAt = Date.now();
    seen = progress;
    if (Date.now() > deadline || Date.now() - progressAt > QUIET_MS) return;
    await sleep(POLL_MS);
  }
}
