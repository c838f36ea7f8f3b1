import { setTimeout as sleep } from 'node:timers/promises';
import { answersOk } from '../../deploy/local/http-check.ts';
import type { Target } from '../target/target.ts';
import type { Fault } from './result.ts';

const POLL_MS = 100;

export interface FaultOptions {
  target: Target;
  startAt: number;
  /** From the start on, in milliseconds: when the first thing is broken, and by when all must be done. */
  faultAtMs: number;
  stopAtMs: number;
  say: (line: string) => void;
  signal: AbortSignal;
}

/** Kills a gateway without warning. @returns what was done */
export async function killGateway(options: FaultOptions): Promise<Fault[]> {
  await untilFault(options);
  const [victim] = options.target.info.gateways;
  if (victim === undefined) return [];
  process.kill(victim.pid, 'SIGKILL');
  return [done(options, `${victim.name} was killed`)];
}

/**
 * Restarts every gateway as an update does: it drains, ends, and is back before the next one's turn.
 *
 * @returns what was done
 * @throws Error when not all were back before the end of the load
 */
export async function restartGateways(options: FaultOptions): Promise<Fault[]> {
  await untilFault(options);
  const faults: Fault[] = [];
  const { target, startAt, stopAtMs, signal } = options;
  for (const { name, pid, port } of target.info.gateways) {
    faults.push(done(options, `${name} is told to stop`));
    process.kill(pid, 'SIGTERM');
    const present = (): number => target.info.gateways.find((gateway) => gateway.name === name)?.pid ?? pid;
    while (present() === pid || !(await answersOk(`http://127.0.0.1:${port}/health/ready`))) {
      if (Date.now() > startAt + stopAtMs) throw new Error(`${name} was not back in time: take a longer --duration`);
      await sleep(POLL_MS, undefined, { signal });
    }
    faults.push(done(options, `${name} is back`));
  }
  return faults;
}

async function untilFault({ startAt, faultAtMs, signal }: FaultOptions): Promise<void> {
  await sleep(Math.max(0, startAt + faultAtMs - Date.now()), undefined, { signal });
}

function done({ startAt, say }: FaultOptions, what: string): Fault {
  say(what);
  return { second: (Date.now() - startAt) / 1_000, what };
}
