import { startGenerators } from '../bench/generators.ts';
import type { Target } from '../target/target.ts';

const CLIENTS_OF_A_ROOM = 50;
const OPENING = 25;
const SECONDS = 3;
const BYTES = 64;

/**
 * Lets a cluster that has just started see some clients connect, join, talk and go: what runs often is compiled only
 * then, which takes seconds, and what the first clients of the run would wait for.
 */
export async function warmUp(target: Target, clients: number, signal: AbortSignal): Promise<void> {
  if (clients === 0) return;
  const rooms = Math.ceil(clients / CLIENTS_OF_A_ROOM);
  const generators = startGenerators(1);
  const stop = (): void => generators.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { urls, jwtSecret } = target;
    await generators.open({ urls, jwtSecret, clients, rooms, bytes: BYTES, opening: OPENING });
    await generators.run({ sendsPerSecond: clients / 5, seconds: SECONDS, skipSeconds: 0 });
    await generators.close();
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
