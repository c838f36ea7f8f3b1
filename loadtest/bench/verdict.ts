import type { Kind } from '../target/target.ts';
import { availableParallelism } from 'node:os';
import type { Cpu } from './costs.ts';
import type { StepTotals } from './totals.ts';

/**
 * What had no more to give: the generator (the figures say nothing of the cluster then), the machine that all share, or
 * neither.
 */
export type Limit = 'generator' | 'machine' | 'none';

/** Whether a step kept its promises, and if not, why not. */
export interface Verdict {
  passed: boolean;
  reasons: string[];
  /** Order or completeness was broken, whatever the load. */
  isBroken: boolean;
  limit: Limit;
}

export interface JudgeOptions {
  totals: StepTotals;
  /** Deliveries a second. */
  wanted: number;
  reached: number;
  /** Of the 99th percentile, in milliseconds. */
  bound: number;
  kind: Kind;
  limit: Limit;
}

/** Less than so much of what was wanted is a backlog. */
const REACHED_PART = 0.95;
/** Shares of what a core, or all cores, could have done. */
const BUSY_GENERATOR = 0.85;
const BUSY_MACHINE = 0.92;

/** What is promised in any case is that nothing is missing; order and no repeats only Parley promises. */
export function judge({ totals, wanted, reached, bound, kind, limit }: JudgeOptions): Verdict {
  const reasons: string[] = [];
  const say = (isSo: boolean, reason: string): void => void (isSo && reasons.push(reason));
  const { missing, reordered, repeats, resyncs, unanswered } = totals;

  const anomalies = missing + (kind === 'parley' ? reordered + repeats : 0);
  say(missing > 0, `${missing} missing`);
  if (kind === 'parley') {
    say(reordered > 0, `${reordered} out of order`);
    say(repeats > 0, `${repeats} repeated`);
  }
  say(resyncs > 0, `${resyncs} streams cut`);
  say(unanswered > 0, `${unanswered} sends without an answer`);
  for (const [code, count] of Object.entries(totals.errors)) say(true, `${count} ${code}`);
  for (const [reason, count] of Object.entries(totals.closed)) say(true, `${count} connections: ${reason}`);
  say(totals.latency.count === 0, 'nothing was delivered');
  say(totals.latency.p99 >= bound, `p99 of ${totals.latency.p99} ms`);
  say(reached < wanted * REACHED_PART, `${Math.round((100 * reached) / wanted)} % of the rate`);

  return {
    passed: reasons.length === 0,
    reasons,
    // A stream that was said to be cut may miss something.
    isBroken: anomalies > 0 && resyncs === 0,
    limit,
  };
}

/** By the CPU time that was used. Everything of a run is on this machine. */
export function limitOf(step: { totals: StepTotals; cpu: Cpu; wallSeconds: number; generators: number }): Limit {
  const { totals, cpu, wallSeconds, generators } = step;
  if (totals.cpuSeconds / totals.seconds / generators > BUSY_GENERATOR) return 'generator';
  return cpu.machine / wallSeconds / availableParallelism() > BUSY_MACHINE ? 'machine' : 'none';
}
