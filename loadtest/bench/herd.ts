import { setTimeout as sleep } from 'node:timers/promises';
import { goingFirst } from '../measure/going-first.ts';
import { nowMicros } from './generator/clock.ts';
import type { MeasureOptions } from './measure-options.ts';
import type { HerdTotals, StepTotals } from './totals.ts';

/** Before the death of the gateway, for comparison. */
const BEFORE_SECONDS = 5;
const SKIP_SECONDS = 1;
/** Of talk before the kill. */
const NOTICE_MICROS = 2e6;

/** What the death of a gateway did to its clients and to all others. */
export interface Herd {
  /** At the same rate, with all gateways. */
  before: StepTotals;
  totals: HerdTotals;
}

/** Kills a gateway while messages go at the rate of `--herd`, and watches its clients come back. */
export async function herd({ target, generators, options, say }: MeasureOptions): Promise<Herd> {
  await generators.mend();
  const sendsPerSecond = Math.max(1, options.herd / (options.clients / options.rooms));
  const first = <T>(work: () => Promise<T>): Promise<T> => goingFirst(generators.pids, work);
  const before = await first(() =>
    generators.run({ sendsPerSecond, seconds: BEFORE_SECONDS, skipSeconds: SKIP_SECONDS }),
  );
  const [victim] = target.info.gateways;
  if (victim === undefined) throw new Error('there is no gateway');
  const killAt = nowMicros() + NOTICE_MICROS;
  const herding = first(() =>
    generators.herd({ sendsPerSecond, seconds: options.herdSeconds, victim: victim.name, killAt }),
  );
  // Heard below.
  herding.catch(() => {});
  await sleep((killAt - nowMicros()) / 1e3);
  process.kill(victim.pid, 'SIGKILL');
  const totals = await herding;
  say(`  ${lineOf({ before, totals })}`);
  return { before, totals };
}

/** Whether a stream lost, repeated or reordered something without a word. */
export function isBroken({ totals: { missing, reordered, repeats, truncated } }: Herd): boolean {
  // Where a sync could not bring all, history has the rest, and the client was told so.
  return (missing > 0 && truncated === 0) || reordered + repeats > 0;
}

function lineOf({ before, totals }: Herd): string {
  const { lost, absent, back, others, failures, othersLost, missing, reordered, repeats, resyncs, truncated } = totals;
  const counts = Object.entries({ missing, reordered, repeats, resyncs, truncated, 'still away': absent });
  const named = (what: string, by: Record<string, number>): string[] =>
    Object.entries(by).map(([reason, count]) => `${count} ${what}: ${reason}`);
  return [
    `${lost} lost, back after ${back.half} s (half), ${back.most} s (99 %), ${back.all} s (all)`,
    `others p50 ${others.p50} p99 ${others.p99} max ${others.max} ms (before: p99 ${before.latency.p99})`,
    ...counts.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`),
    ...named('failed attempts', failures),
    ...named('others lost', othersLost),
    ...named('refused sends', totals.errors),
  ].join(', ');
}
