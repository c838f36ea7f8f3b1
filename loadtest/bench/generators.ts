import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Histogram, latencyOf, type Latency } from '../measure/histogram.ts';
import { nowMicros } from './generator/clock.ts';
import type { Crowd, Opened, Order, Pace, Report } from './generator/orders.ts';
import type { StepCounts } from './generator/tally.ts';

/** The generator's processes, each with its part of the rooms and all clients of those. */
export interface Generators {
  readonly pids: readonly number[];
  /**
   * Connects all clients.
   *
   * @param perSecond starts so many a second, evenly spaced over all processes, whatever the answers take; without it
   *   as many are under way at once as the crowd says
   */
  open(crowd: Omit<Crowd, 'place' | 'generators'>, perSecond?: number): Promise<OpenedAll>;
  /** Connects those again that were closed, in the same way. */
  mend(perSecond?: number): Promise<OpenedAll>;
  run(step: { sendsPerSecond: number; seconds: number; skipSeconds: number }): Promise<StepTotals>;
  /** Closes all clients. */
  close(): Promise<void>;
  /** Ends the processes. */
  stop(): void;
}

export interface OpenedAll {
  hearing: number;
  failures: Record<string, number>;
  handshake: Latency;
  lateness: Latency;
  /** From when the first one was due to the last join. */
  seconds: number;
}

/** What all generators saw in a step. */
export interface StepTotals extends Omit<StepCounts, 'latency' | 'ack' | 'lateness'> {
  latency: Latency;
  ack: Latency;
  lateness: Latency;
}

/** Until a crowd that is made anew has its tokens. */
const BEFORE_FIRST_MICROS = 1e6;

/** Starts the processes; `count` should not exceed the number of rooms. */
export function startGenerators(count: number): Generators {
  const children = Array.from({ length: count }, () =>
    fork(join(import.meta.dirname, 'generator/main.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
  const kill = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', kill);

  const all = (order: Order): Promise<Report[]> => Promise.all(children.map((child) => ask(child, order)));
  const opened = async (reports: Promise<Report[]>): Promise<OpenedAll> =>
    mergeOpened((await reports).flatMap((report) => ('opened' in report ? [report.opened] : [])));

  return {
    pids: children.map(({ pid }) => pid ?? 0),
    open(crowd, perSecond) {
      const pace = paceOf(perSecond);
      const orders = children.map((child, place) =>
        ask(child, { do: 'open', crowd: { ...crowd, place, generators: count }, ...pace }),
      );
      return opened(Promise.all(orders));
    },
    mend: (perSecond) => opened(all({ do: 'mend', ...paceOf(perSecond) })),
    async run(step) {
      const reports = await all({ do: 'run', ...step, sendsPerSecond: step.sendsPerSecond / count });
      return mergeSteps(reports.flatMap((report) => ('step' in report ? [report.step] : [])));
    },
    async close() {
      await all({ do: 'close' });
    },
    stop() {
      kill();
      process.removeListener('exit', kill);
    },
  };
}

function paceOf(perSecond: number | undefined): { pace?: Pace } {
  return perSecond === undefined ? {} : { pace: { perSecond, beginAt: nowMicros() + BEFORE_FIRST_MICROS } };
}

async function ask(child: ChildProcess, order: Order): Promise<Report> {
  const gone = new AbortController();
  try {
    child.send(order);
    const [report] = await Promise.race([
      once(child, 'message', { signal: gone.signal }),
      once(child, 'exit', { signal: gone.signal }).then(([code, signal]) => {
        throw new Error(`a generator ended (${String(signal ?? code)})`);
      }),
    ]);
    if ('error' in (report as Report)) throw new Error((report as { error: string }).error);
    return report as Report;
  } finally {
    gone.abort();
  }
}

function mergeOpened(parts: readonly Opened[]): OpenedAll {
  return {
    hearing: sum(parts.map(({ hearing }) => hearing)),
    failures: sumByName(parts.map(({ failures }) => failures)),
    handshake: latencyOf(merged(parts.map(({ handshake }) => handshake))),
    lateness: latencyOf(merged(parts.map(({ lateness }) => lateness))),
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
  };
}

export function mergeSteps(parts: readonly StepCounts[]): StepTotals {
  const total = (pick: (part: StepCounts) => number): number => sum(parts.map(pick));
  const highest = (pick: (part: StepCounts) => number): number => Math.max(...parts.map(pick));
  const times = (pick: (part: StepCounts) => Opened['handshake']): Latency => latencyOf(merged(parts.map(pick)));
  return {
    sent: total((part) => part.sent),
    acked: total((part) => part.acked),
    unanswered: total((part) => part.unanswered),
    errors: sumByName(parts.map(({ errors }) => errors)),
    deliveries: total((part) => part.deliveries),
    deliveriesInTime: total((part) => part.deliveriesInTime),
    expected: total((part) => part.expected),
    missing: total((part) => part.missing),
    reordered: total((part) => part.reordered),
    repeats: total((part) => part.repeats),
    resyncs: total((part) => part.resyncs),
    closed: sumByName(parts.map(({ closed }) => closed)),
    latency: times(({ latency }) => latency),
    ack: times(({ ack }) => ack),
    lateness: times(({ lateness }) => lateness),
    utilization: highest((part) => part.utilization),
    loopDelayMs: highest((part) => part.loopDelayMs),
    cpuSeconds: total((part) => part.cpuSeconds),
    seconds: highest((part) => part.seconds),
  };
}

function merged(parts: readonly Opened['handshake'][]): Histogram {
  const histogram = new Histogram();
  for (const counts of parts) histogram.merge(counts);
  return histogram;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumByName(parts: readonly Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) total[name] = (total[name] ?? 0) + value;
  return total;
}
