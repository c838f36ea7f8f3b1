import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { K6 } from './find-k6.ts';
import type { Plan } from './plan.ts';
import { WINDOW_MARK, type Window } from './window.ts';

/** k6's exit code when a threshold was crossed. */
const THRESHOLDS_CROSSED = 99;

/**
 * Of the memory that is free, what the heap of k6 may take before anything is collected: 10,000 sockets take some 5 GB in
 * two minutes. A collection holds everything up for a second or two there, which nothing tells from a late cluster.
 */
const HEAP_PART = 0.5;

export interface RunOptions {
  /** The cluster is on this machine, too. */
  sharesMachine: boolean;
  k6: K6;
  plan: Plan;
  onWindow: (window: Window) => void;
  /** Whatever else k6 says. */
  say: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Runs the scenario of a plan to its end. On the machine of the cluster k6 has no priority, as it is the largest consumer
 * there: what it takes first, all that it measures waits for.
 *
 * @throws Error when k6 did not come to an end of its own
 */
export async function runK6({ sharesMachine, k6, plan, onWindow, say, signal }: RunOptions): Promise<void> {
  const script = join(import.meta.dirname, 'scripts', `${plan.scenario}.ts`);
  const flags = ['--quiet', '--no-color', '--no-usage-report', '--log-format', 'raw', '--address', ''];
  const child = spawn(k6.program, [...k6.args, 'run', ...flags, script], {
    env: {
      GOGC: 'off',
      GOMEMLIMIT: String(Math.floor(process.availableMemory() * HEAP_PART)),
      // Else its garbage collector, which takes every processor that k6 does not use itself, would stop the cluster.
      ...(sharesMachine && { GOMAXPROCS: String(Math.ceil(availableParallelism() / 2)) }),
      ...process.env,
      PLAN: JSON.stringify(plan),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // k6 ends its users, and itself.
  const interrupt = (): void => void child.kill('SIGINT');
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', interrupt, { once: true });
  process.once('exit', kill);
  const lines = [child.stdout, child.stderr].map(async (input) => {
    for await (const line of createInterface({ input })) {
      if (line.startsWith(WINDOW_MARK)) onWindow(JSON.parse(line.slice(WINDOW_MARK.length)) as Window);
      else if (line.trim() !== '') say(`k6: ${line}`);
    }
  });
  try {
    const [code, ended] = (await once(child, 'exit')) as [number | null, string | null];
    await Promise.all(lines);
    signal.throwIfAborted();
    if (code !== 0 && code !== THRESHOLDS_CROSSED) throw new Error(`k6 ended with ${String(ended ?? code)}`);
  } finally {
    signal.removeEventListener('abort', interrupt);
    process.removeListener('exit', kill);
  }
}
