import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** A process that an earlier launcher left running, and how it is to be ended. */
export interface Leftover extends ProcessIdentity {
  name: string;
}

const POLL_MS = 50;

/**
 * Ends the servers that a killed launcher left behind. They are asked to end, and made to after a while. Processes that
 * only have the number of one that was recorded are left alone.
 *
 * @returns the names of those that still ran
 */
export async function endLeftovers(recorded: readonly Leftover[]): Promise<string[]> {
  const found = recorded.filter(isAlive);
  await Promise.all(found.map(endProcess));
  return found.map(({ name }) => name);
}

/** How each kind of server ends: the first signal asks, the last one does not. PostgreSQL's are its "fast" and "immediate" shutdowns. */
function signalsFor(name: string): { signal: NodeJS.Signals; forMs: number }[] {
  const kill = { signal: 'SIGKILL', forMs: 5_000 } as const;
  if (name === 'postgres') return [{ signal: 'SIGINT', forMs: 15_000 }, { signal: 'SIGQUIT', forMs: 5_000 }, kill];
  // Nobody routes to these gateways any more, so there is nothing to drain for.
  return [{ signal: 'SIGTERM', forMs: 2_000 }, kill];
}

async function endProcess(leftover: Leftover): Promise<void> {
  for (const { signal, forMs } of signalsFor(leftover.name)) {
    const deadline = Date.now() + forMs;
    // Checked again right before each signal: the number may have gone to somebody else meanwhile.
    if (isAlive(leftover)) send(leftover.pid, signal);
    if (isAlive(leftover)) send(leftover.pid, 'SIGCONT');
    while (isAlive(leftover)) {
      if (Date.now() > deadline) break;
      await sleep(POLL_MS);
    }
  }
  if (isAlive(leftover)) throw new Error(`${leftover.name} (process ${leftover.pid}) of an earlier run does not end`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
