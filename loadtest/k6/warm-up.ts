import { startGenerators } from '../bench/generators.ts';
import { warmUp as warmUpWith } from '../bench/warm-up.ts';
import type { Target } from '../target/target.ts';

/** Warms a cluster that has just started up with clients of the benchmark's generator. */
export async function warmUp(target: Target, clients: number, signal: AbortSignal): Promise<void> {
  if (clients === 0) return;
  const generators = startGenerators(1);
  const stop = (): void => generators.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await warmUpWith(generators, target, clients);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
