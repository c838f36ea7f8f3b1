import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Connecting } from './connect.ts';
import { openCostMeter, type CostMeter, type Cpu, type StoreWork } from './costs.ts';
import type { StepTotals } from './totals.ts';
import { herd, type Herd } from './herd.ts';
import type { MeasureOptions } from './measure-options.ts';
import { searchHighest } from './search.ts';
import { judge, limitOf, type Verdict } from './verdict.ts';

/** The first part of a step counts for completeness, not for times. */
const SKIPPED_PART = 0.2;
const LONGEST_SKIP_SECONDS = 1;

/** One step: what it was to be, what came of it, and what it cost. */
export interface Step {
  /** Deliveries a second that were aimed at, and that arrived while messages were sent. */
  wanted: number;
  reached: number;
  totals: StepTotals;
  cpu: Cpu;
  /** From the first send until all had arrived. */
  wallSeconds: number;
  verdict: Verdict;
}

/** All that is measured of one target. */
export interface Measured {
  name: string;
  connecting: Connecting;
  /** Unless steps were left out. */
  rates?: Rates;
  churn?: Churn;
  herd?: Herd;
}

/** What came of messages at several rates. */
export interface Rates {
  /** At the rate of `--quiet`. */
  quiet: Step;
  /** At the highest rate that passed. */
  best: Step | undefined;
  steps: Step[];
  /** At the rate of `--quiet`, and over all steps of the search. */
  stores: { quiet: StoreWork; search: StoreWork };
}

/** Resident bytes of the gateways around many connects and disconnects, each time idle with the whole crowd. */
export interface Churn {
  connections: number;
  bytesBefore: number;
  bytesAfter: number;
}

/** Connects the crowd, watches it idle, then looks for the highest rate that passes. */
export async function measureTarget(given: MeasureOptions): Promise<Measured> {
  const { target, generators, options, name } = given;
  const meter = await openCostMeter(target);
  try {
    const connecting = await connect(given, meter);
    const { hearing, failures } = connecting.opened;
    if (hearing === 0) throw new Error(`${name}: nobody got in: ${JSON.stringify(failures)}`);
    const measured: Measured = { name, connecting };
    if (options.steps) measured.rates = await tryRates(given, meter);
    if (options.churn > 0) measured.churn = await churn(given, meter);
    if (options.herd > 0 && target.kind === 'parley') measured.herd = await herd(given);
    return measured;
  } finally {
    await generators.close();
    await meter.close();
  }
}

async function tryRates({ target, generators, options, say }: MeasureOptions, meter: CostMeter): Promise<Rates> {
  const runStep = async (deliveriesPerSecond: number, seconds: number): Promise<Step> => {
    await generators.mend();
    const begin = performance.now();
    const { result: totals, cpu } = await meter.cpuOf(() =>
      generators.run({
        sendsPerSecond: Math.max(1, deliveriesPerSecond / (options.clients / options.rooms)),
        seconds,
        skipSeconds: Math.min(LONGEST_SKIP_SECONDS, seconds * SKIPPED_PART),
      }),
    );
    const wallSeconds = (performance.now() - begin) / 1_000;
    const outcome = { wanted: deliveriesPerSecond, reached: totals.deliveriesInTime / totals.seconds, totals };
    const limit = limitOf({ totals, cpu, wallSeconds, generators: options.generators });
    const verdict = judge({ ...outcome, bound: options.p99, kind: target.kind, limit });
    const step = { ...outcome, cpu, wallSeconds, verdict };
    say(`  ${lineOf(step)}`);
    return step;
  };

  // What runs often is compiled only then, which takes seconds and what the first messages wait for.
  const warmUp = await runStep(options.start, options.warm);
  const patienceMs = target.kind === 'bare' ? 0 : options.patience * 1_000;
  const { result: quiet, stores: quietWork } = await meter.storeWorkOf(
    () => runStep(options.quiet, options.seconds),
    (step) => step.totals.acked,
    patienceMs,
  );
  const { result: found, stores: searchWork } = await meter.storeWorkOf(
    () =>
      searchHighest({
        ...options,
        run: (rate) => runStep(rate, options.seconds),
        passes: (step) => step.verdict.passed,
      }),
    ({ steps }) => steps.reduce((sum, { totals }) => sum + totals.acked, 0),
    patienceMs,
  );
  return {
    quiet,
    best: found.best,
    steps: [warmUp, quiet, ...found.steps],
    stores: { quiet: quietWork, search: searchWork },
  };
}

/** All go and come back, until there were so many connections. */
async function churn({ generators, options, say }: MeasureOptions, meter: CostMeter): Promise<Churn> {
  const idleBytes = async (): Promise<number> => {
    await generators.mend();
    await sleep(options.idle * 1_000);
    return meter.gatewayMemory();
  };
  const bytesBefore = await idleBytes();
  let connections = 0;
  while (connections < options.churn) {
    await generators.close();
    connections += (await generators.mend()).hearing;
    say(`  ${connections} connections came and went`);
  }
  return { connections, bytesBefore, bytesAfter: await idleBytes() };
}

function lineOf({ wanted, reached, totals, verdict }: Step): string {
  const { latency, missing, reordered, repeats } = totals;
  const faults = Object.entries({ missing, reordered, repeats }).filter(([, count]) => count > 0);
  return [
    `${Math.round(wanted)} wanted, ${Math.round(reached)}/s, p50 ${latency.p50} p95 ${latency.p95} p99 ${latency.p99} ms`,
    ...faults.map(([fault, count]) => `${count} ${fault}`),
    verdict.passed ? 'passed' : `failed (limit: ${verdict.limit}): ${verdict.reasons.join('; ')}`,
  ].join(', ');
}
