import { writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Before the cluster: a generator that waits for a processor measures itself. */
const PRIORITY = -10;

/**
 * Lets processes have the processors before all others while something is done. Only root may ask for that; for others
 * nothing changes.
 */
export async function goingFirst<T>(pids: readonly number[], work: () => Promise<T>): Promise<T> {
  prioritize(pids, PRIORITY);
  try {
    return await work();
  } finally {
    prioritize(pids, getPriority());
  }
}

function prioritize(pids: readonly number[], priority: number): void {
  for (const pid of pids) {
    attempt(() => setPriority(pid, priority));
    // Where Linux groups processes by session, as most do, a priority counts only within the group, and the group has its own.
    attempt(() => writeFileSync(`/proc/${pid}/autogroup`, String(priority)));
  }
}

/** It may not be allowed, the process may be gone, and only Linux has groups. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {}
}
