import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { nowMicros } from './clock.ts';
import type { StepCounts, Tally } from './tally.ts';

const POLL_MS = 20;
/** When nothing more comes for so long, what is missing does not come. */
const QUIET_MS = 3_000;
const LONGEST_WAIT_MS = 30_000;
/** A generator that lags behind its own clock gives up the rest of a step so long after its end. */
const LATEST_MICROS = 500_000;

export interface StepOptions {
  clients: readonly Client[];
  tally: Tally;
  sendsPerSecond: number;
  seconds: number;
  /** At the start, without counting times: the cluster has to find its pace. */
  skipSeconds: number;
  /** Length of a message's content. */
  bytes: number;
}

/** Sends at a steady rate, one client after the other, then waits until all has arrived, and checks what did. */
export async function runStep(options: StepOptions): Promise<StepCounts> {
  const { clients, tally } = options;
  tally.reset();
  tally.measureFrom = nowMicros() + options.skipSeconds * 1e6;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const [idleBefore, cpuBefore] = [performance.eventLoopUtilization(), process.cpuUsage()];
  delay.enable();
  tally.isSending = true;
  const seconds = await sendSteadily(options);
  tally.isSending = false;
  delay.disable();
  const { utilization } = performance.eventLoopUtilization(idleBefore);
  const cpu = process.cpuUsage(cpuBefore);

  await untilComplete(clients, tally);
  for (const client of clients) client.settle();
  return {
    ...tally.result(),
    utilization,
    loopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - 1),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    seconds,
  };
}

/** @returns how long it sent, in seconds */
async function sendSteadily({ clients, tally, sendsPerSecond, seconds, bytes }: StepOptions): Promise<number> {
  const rotation = new Rotation(clients);
  const begin = nowMicros();
  const end = begin + seconds * 1e6;
  const microsPerSend = 1e6 / sendsPerSecond;
  for (let due = begin; due < end && nowMicros() < end + LATEST_MICROS;) {
    // What is due by now; what becomes due meanwhile waits until others had their turn.
    for (const now = nowMicros(); due <= now && due < end; due += microsPerSend) {
      const client = rotation.next();
      if (client === undefined) return (nowMicros() - begin) / 1e6;
      tally.lateness.add(nowMicros() - due);
      tally.sent += 1;
      client.send(bytes);
    }
    await sleep(1);
  }
  return (nowMicros() - begin) / 1e6;
}

/** One client after the other, without those that are not connected. */
class Rotation {
  readonly #clients: readonly Client[];
  #next = 0;

  constructor(clients: readonly Client[]) {
    this.#clients = clients;
  }

  /** Undefined when nobody is connected. */
  next(): Client | undefined {
    for (let tries = 0; tries < this.#clients.length; tries += 1) {
      const client = this.#clients[this.#next];
      this.#next = (this.#next + 1) % this.#clients.length;
      if (client?.isHearing === true) return client;
    }
    return undefined;
  }
}

async function untilComplete(clients: readonly Client[], tally: Tally): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  let progressAt = Date.now();
  let seen = -1;
  for (;;) {
    const pending = clients.reduce((sum, client) => sum + client.pending, 0);
    if (pending === 0 && tally.deliveries - tally.repeats >= tally.expected) return;
    const progress = tally.deliveries + tally.acked;
    if (progress !== seen) progressAt = Date.now();
    seen = progress;
    if (Date.now() > deadline || Date.now() - progressAt > QUIET_MS) return;
    await sleep(POLL_MS);
  }
}
