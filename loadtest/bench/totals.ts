import { Histogram, latencyOf, type Counts, type Latency } from '../measure/histogram.ts';
import type { HerdCounts } from './generator/herd.ts';
import type { Opened } from './generator/orders.ts';
import type { StepCounts } from './generator/tally.ts';

/** What became of all clients that were opened. */
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

/** What all generators saw of the death of a gateway. */
export interface HerdTotals extends Omit<HerdCounts, 'back' | 'others' | 'lateness'> {
  /** Seconds from the kill until half of those who were lost, 99 %, and all who came back were. */
  back: { half: number; most: number; all: number };
  /** Deliveries to those who were not on the gateway, sent from the kill on until all were back. */
  others: Latency;
  /** The same by the second after the kill, also afterwards. */
  othersBySecond: Latency[];
  lateness: Latency;
}

export function mergeOpened(parts: readonly Opened[]): OpenedAll {
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
  const times = (pick: (part: StepCounts) => Counts): Latency => latencyOf(merged(parts.map(pick)));
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

export function mergeHerds(parts: readonly HerdCounts[]): HerdTotals {
  const total = (pick: (part: HerdCounts) => number): number => sum(parts.map(pick));
  const back = merged(parts.map((part) => part.back));
  const secondsOf = (part: number): number => Math.round(back.quantile(part) / 1e4) / 100;
  const all = secondsOf(1);
  const seconds = Array.from({ length: Math.max(0, ...parts.map(({ others }) => others.length)) }, (_, second) =>
    merged(parts.map(({ others }) => others[second] ?? [])),
  );
  const whileAway = merged(seconds.slice(0, Math.ceil(all)).map((times) => times.counts()));
  return {
    lost: total((part) => part.lost),
    absent: total((part) => part.absent),
    back: { half: secondsOf(0.5), most: secondsOf(0.99), all },
    failures: sumByName(parts.map(({ failures }) => failures)),
    othersLost: sumByName(parts.map(({ othersLost }) => othersLost)),
    others: latencyOf(whileAway),
    othersBySecond: seconds.map(latencyOf),
    sent: total((part) => part.sent),
    acked: total((part) => part.acked),
    unanswered: total((part) => part.unanswered),
    errors: sumByName(parts.map(({ errors }) => errors)),
    deliveries: total((part) => part.deliveries),
    caughtUp: total((part) => part.caughtUp),
    truncated: total((part) => part.truncated),
    missing: total((part) => part.missing),
    reordered: total((part) => part.reordered),
    repeats: total((part) => part.repeats),
    resyncs: total((part) => part.resyncs),
    lateness: latencyOf(merged(parts.map(({ lateness }) => lateness))),
  };
}

function merged(parts: readonly Counts[]): Histogram {
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
