import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { nowMicros } from './generator/clock.ts';
import type { Crowd, Order, Pace, Report } from './generator/orders.ts';
import { mergeHerds, mergeOpened, mergeSteps, type HerdTotals, type OpenedAll, type StepTotals } from './totals.ts';

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
  /** Talks on while the gateway `victim` is killed at `killAt`, in microseconds of `nowMicros`, and for so long after it. */
  herd(herd: { sendsPerSecond: number; seconds: number; victim: string; killAt: number }): Promise<HerdTotals>;
  /** Closes all clients. */
  close(): Promise<void>;
  /** Ends the processes. */
  stop(): void;
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
    async herd(herd) {
      const reports = await all({ do: 'herd', ...herd, sendsPerSecond: herd.sendsPerSecond / count });
      return mergeHerds(reports.flatMap((report) => ('herd' in report ? [report.herd] : [])));
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
