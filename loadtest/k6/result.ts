import { Histogram, latencyOf, type Counts, type Latency } from '../measure/histogram.ts';
import type { Machine } from '../measure/machine.ts';
import type { Scenario } from './plan.ts';
import { COUNTS, TIMES, type Count, type Time, type Window } from './window.ts';

/** What happened in one second, over all virtual users. */
export interface Second {
  second: number;
  hearing: number;
  counts: Partial<Record<Count, number>>;
  errors: Record<string, number>;
  times: Partial<Record<Time, Counts>>;
}

/** What was broken on purpose, and when (in seconds). */
export interface Fault {
  second: number;
  what: string;
}

export interface Threshold {
  metric: string;
  expression: string;
  ok: boolean;
}

/** The result of a run, or of several shards of one. */
export interface LoadResult {
  scenario: Scenario;
  at: string;
  machine: Machine;
  k6: string;
  /** As they were asked for; no secrets. */
  options: Record<string, unknown>;
  counts: Record<Count, number>;
  errors: Record<string, number>;
  times: Record<Time, Latency>;
  /** The largest number of sockets at once. */
  mostHearing: number;
  thresholds: Threshold[];
  faults: Fault[];
  passed: boolean;
  series: Second[];
}

/** Gathers the windows of all virtual users by the second. */
export class Series {
  readonly #seconds = new Map<number, Second & { ofUsers: Map<number, number> }>();

  add({ vu, second, hearing, counts, errors, times }: Window): void {
    const all = this.#at(second);
    all.ofUsers.set(vu, hearing);
    addCounts(all.counts, counts);
    addCounts(all.errors, errors);
    addTimes(all.times, times);
  }

  /** In their order. A user that told nothing in a second is taken to be as before. */
  seconds(): Second[] {
    const known = new Map<number, number>();
    return [...this.#seconds.values()]
      .toSorted((a, b) => a.second - b.second)
      .map(({ ofUsers, ...second }) => {
        for (const [vu, hearing] of ofUsers) known.set(vu, hearing);
        return { ...second, hearing: [...known.values()].reduce((sum, hearing) => sum + hearing, 0) };
      });
  }

  #at(second: number): Second & { ofUsers: Map<number, number> } {
    const found = this.#seconds.get(second);
    if (found !== undefined) return found;
    const made = { second, hearing: 0, counts: {}, errors: {}, times: {}, ofUsers: new Map<number, number>() };
    this.#seconds.set(second, made);
    return made;
  }
}

/** What all seconds come to. */
export function totalsOf(series: readonly Second[]): Pick<LoadResult, 'counts' | 'errors' | 'times' | 'mostHearing'> {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<Count, number>;
  const errors: Record<string, number> = {};
  const times: Partial<Record<Time, Counts>> = {};
  for (const second of series) {
    addCounts(counts, second.counts);
    addCounts(errors, second.errors);
    addTimes(times, second.times);
  }
  const latencies = TIMES.map((name) => [name, latency(times[name])]);
  return {
    counts,
    errors,
    times: Object.fromEntries(latencies) as Record<Time, Latency>,
    mostHearing: Math.max(0, ...series.map(({ hearing }) => hearing)),
  };
}

/** One result of several shards that ran at the same time. @throws Error when they are not of one run */
export function mergeResults(parts: readonly LoadResult[]): LoadResult {
  const [first] = parts;
  if (first === undefined) throw new Error('There is nothing to merge');
  if (parts.some(({ scenario }) => scenario !== first.scenario)) throw new Error('These are different scenarios');
  const seconds = new Map<number, Second>();
  for (const { series } of parts) {
    for (const { second, hearing, counts, errors, times } of series) {
      const all = seconds.get(second) ?? { second, hearing: 0, counts: {}, errors: {}, times: {} };
      seconds.set(second, all);
      all.hearing += hearing;
      addCounts(all.counts, counts);
      addCounts(all.errors, errors);
      addTimes(all.times, times);
    }
  }
  const series = [...seconds.values()].toSorted((a, b) => a.second - b.second);
  const expressions = new Map(
    parts.flatMap(({ thresholds }) => thresholds).map((one) => [`${one.metric} ${one.expression}`, one]),
  );
  return {
    ...first,
    ...totalsOf(series),
    series,
    thresholds: [...expressions].map(([key, threshold]) => ({
      ...threshold,
      ok: parts.every(({ thresholds }) =>
        thresholds.every((one) => `${one.metric} ${one.expression}` !== key || one.ok),
      ),
    })),
    faults: parts.flatMap(({ faults }) => faults),
    passed: parts.every(({ passed }) => passed),
  };
}

/** The thresholds in k6's own summary. */
export function readThresholds(summary: unknown): Threshold[] {
  const { metrics } = summary as { metrics: Record<string, { thresholds?: Record<string, { ok: boolean }> }> };
  return Object.entries(metrics).flatMap(([metric, { thresholds = {} }]) =>
    Object.entries(thresholds).map(([expression, { ok }]) => ({ metric, expression, ok })),
  );
}

/** Quantiles of one second, or of all. */
export function latency(counts: Counts | undefined): Latency {
  const histogram = new Histogram();
  histogram.merge(counts ?? []);
  return latencyOf(histogram);
}

function addCounts(to: Partial<Record<string, number>>, from: Partial<Record<string, number>>): void {
  for (const [name, value = 0] of Object.entries(from)) to[name] = (to[name] ?? 0) + value;
}

function addTimes(to: Partial<Record<Time, Counts>>, from: Partial<Record<Time, Counts>>): void {
  for (const name of TIMES) {
    const [all, more] = [to[name], from[name]];
    if (more === undefined) continue;
    const histogram = new Histogram();
    histogram.merge(all ?? []);
    histogram.merge(more);
    to[name] = histogram.counts();
  }
}
