import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;

/** Waits for a condition. @returns whether it came true within `timeoutMs` */
export async function becomesTrue(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Waits for a condition. @throws when it has not come true within `timeoutMs` */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  if (!(await becomesTrue(condition, timeoutMs)))
    throw new Error(`Not true within ${timeoutMs} ms: ${condition.toString()}`);
}
