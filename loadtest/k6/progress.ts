import type { Plan } from './plan.ts';
import { latency, Series } from './result.ts';
import type { Window } from './window.ts';

const EVERY_SECONDS = 2;

/** Says how a run goes, every two seconds, from the windows of its virtual users. */
export function progressOf(plan: Plan, say: (line: string) => void): (window: Window) => void {
  const series = new Series();
  let told = 0;
  return (window) => {
    series.add(window);
    // The last second is complete when the next has begun.
    if (window.second < told + EVERY_SECONDS + 1) return;
    told += EVERY_SECONDS;
    const seconds = series.seconds().filter(({ second }) => second < window.second);
    const last = seconds.at(-1);
    if (last === undefined) return;
    const { p50, p99 } = latency(last.times.delivery);
    const errors = seconds.flatMap((second) => Object.values(second.errors)).reduce((sum, count) => sum + count, 0);
    const phase = phaseOf(plan, last.second * 1_000);
    say(
      `${String(last.second).padStart(4)} s ${phase.padEnd(10)} ${last.hearing} sockets, ` +
        `${last.counts.deliveries ?? 0} deliveries/s, p50 ${p50} p99 ${p99} ms, ${errors} errors`,
    );
  };
}

function phaseOf({ loadAtMs, measureAtMs, stopAtMs }: Plan, ms: number): string {
  if (ms < loadAtMs) return 'connecting';
  if (ms < measureAtMs) return 'warming up';
  return ms < stopAtMs ? 'measuring' : 'ending';
}
