import type { Target } from '../target/target.ts';
import type { Generators } from './generators.ts';

const CLIENTS_OF_A_ROOM = 50;
const OPENING = 25;
const SECONDS = 3;
const BYTES = 64;

/**
 * Lets a cluster that has just started see some clients connect, join, talk and go: what runs often is compiled only
 * then, which takes seconds, and what the first clients of the run would wait for. They are nobody whom the run knows.
 */
export async function warmUp(generators: Generators, target: Target, clients: number): Promise<void> {
  const { urls, jwtSecret } = target;
  const rooms = Math.ceil(clients / CLIENTS_OF_A_ROOM);
  await generators.open({ name: 'warm', urls, jwtSecret, clients, rooms, bytes: BYTES, opening: OPENING });
  await generators.run({ sendsPerSecond: clients / 5, seconds: SECONDS, skipSeconds: 0 });
  await generators.close();
}
