import { availableParallelism } from 'node:os';
import { machineLine, type Machine } from '../measure/machine.ts';
import { number, table } from '../measure/table.ts';
import type { StoreWork } from './costs.ts';
import type { Measured, Rates, Step } from './measure-target.ts';
import type { BenchOptions } from './options.ts';
import { connections, memory } from './report-connections.ts';
import { herdReport } from './report-herd.ts';

/** The result of a run, as it is written to a file. */
export interface BenchResult {
  at: string;
  machine: Machine;
  options: BenchOptions;
  targets: Measured[];
}

/** The tables of a run, for a terminal and for docs/performance.md alike. */
export function renderReport({ at, machine, options, targets }: BenchResult): string {
  const { clients, rooms, replicas, opening, connectRate, seconds, p99, quiet } = options;
  const tried = targets.flatMap(({ name, rates }): Tried[] => (rates === undefined ? [] : [{ name, ...rates }]));
  const how = connectRate === 0 ? `${opening} at a time` : `${connectRate} begun each second, timed from then`;
  const limitsOfRates = [
    `\nThe most deliveries a second with p99 under ${p99} ms and nothing missing:\n`,
    limits(tried),
  ];
  const costsOfRates = [
    `\nWhat it costs, at the best rate and at ${number(quiet)} deliveries/s: CPU in ms for 1,000 deliveries\n`,
    costs(tried),
    ...(tried.some(hasStores) ? [`\nWork of the stores for each message sent:\n`, storeWork(tried)] : []),
    `\nThe generator, at each best rate:\n`,
    generator(tried, options.generators),
  ];
  const herds = targets.flatMap(({ herd }) =>
    herd === undefined ? [] : [`\nA gateway is killed at ${number(options.herd)} deliveries/s:\n`, herdReport(herd)],
  );
  return [
    `${clients} clients in ${rooms} rooms, ${replicas} gateways, steps of ${seconds} s, ${at}`,
    machineLine(machine),
    ...(tried.length > 0 ? limitsOfRates : []),
    `\nConnecting and joining, ${how}:\n`,
    connections(targets),
    `\nMemory of all gateways together (the smaller the crowd, the more of it is not the connections'):\n`,
    memory(targets),
    ...(tried.length > 0 ? costsOfRates : []),
    ...herds,
  ].join('\n');
}

/** A target to which messages were sent. */
interface Tried extends Rates {
  name: string;
}

function limits(targets: readonly Tried[]): string {
  const best = (name: string): number => targets.find((target) => target.name === name)?.best?.reached ?? 0;
  const bare = Math.max(
    0,
    ...targets.filter(({ name }) => name.startsWith('bare')).map(({ best: step }) => step?.reached ?? 0),
  );
  const ratio = (value: number, to: number): string => (to === 0 ? '-' : number(value / to, 2));
  return table(
    ['', 'deliveries/s', 'p50 ms', 'p95 ms', 'p99 ms', 'ack p99', 'out of order', 'to plain', 'to best bare'],
    targets.map((target) => {
      if (target.best === undefined) return [target.name, 'none passed'];
      const { reached, totals } = target.best;
      return [
        target.name,
        number(reached),
        ...[totals.latency.p50, totals.latency.p95, totals.latency.p99, totals.ack.p99].map((ms) => number(ms, 1)),
        number(totals.reordered),
        ratio(reached, best('plain')),
        ratio(reached, bare),
      ];
    }),
  );
}

function costs(targets: readonly Tried[]): string {
  const row = (name: string, step: Step | undefined): string[] => {
    if (step === undefined) return [name, '-'];
    const { cpu } = step;
    const each = (cpuSeconds: number): string => number((1e6 * cpuSeconds) / step.totals.deliveries, 2);
    const parts = [cpu.gateways, cpu.haproxy, cpu.redis, cpu.postgres];
    return [
      name,
      number(step.reached),
      ...parts.map(each),
      each(parts.reduce((sum, part) => sum + part, 0)),
      each(step.totals.cpuSeconds),
    ];
  };
  return table(
    ['', 'deliveries/s', 'gateways', 'HAProxy', 'Redis', 'PostgreSQL', 'together', 'generator'],
    targets.flatMap(({ name, best, quiet }) => [row(name, best), row(`${name}, quiet`, quiet)]),
  );
}

function hasStores({ name }: Tried): boolean {
  return !name.startsWith('bare');
}

function storeWork(targets: readonly Tried[]): string {
  const row = (name: string, { messages, redis, postgres }: StoreWork): string[] => {
    const each = (count = 0): string => number(count / Math.max(1, messages), 2);
    const calls = Object.entries(redis).toSorted(([, a], [, b]) => b - a);
    return [
      name,
      number(messages),
      each(calls.reduce((sum, [, count]) => sum + count, 0)),
      calls
        .slice(0, 3)
        .map(([command, count]) => `${command} ${each(count)}`)
        .join(', '),
      ...['xact_commit', 'tup_inserted', 'tup_updated', 'tup_fetched'].map((column) => each(postgres[column])),
    ];
  };
  return table(
    ['', 'messages', 'Redis calls', 'most of them', 'transactions', 'rows inserted', 'updated', 'fetched'],
    targets
      .filter(hasStores)
      .flatMap(({ name, stores }) => [row(`${name}, all steps`, stores.search), row(`${name}, quiet`, stores.quiet)]),
  );
}

/**
 * Whether the figures are the cluster's: what the generator took, what it could take at most (by its CPU time for a
 * delivery), and what ran out at the first rate above the best.
 */
function generator(targets: readonly Tried[], processes: number): string {
  return table(
    [
      '',
      'of its cores %',
      'late p99 ms',
      'us a delivery',
      'its ceiling/s',
      'machine busy %',
      'of it others',
      'limit above',
    ],
    targets.map(({ name, best, steps }) => {
      if (best === undefined) return [name, '-'];
      const { totals, cpu, wallSeconds } = best;
      const micros = (1e6 * totals.cpuSeconds) / Math.max(1, totals.deliveriesInTime);
      const others = cpu.machine - cpu.gateways - cpu.haproxy - cpu.redis - cpu.postgres - totals.cpuSeconds;
      const ofMachine = (seconds: number): string => number((100 * seconds) / wallSeconds / availableParallelism());
      const failed = steps.find(({ verdict, wanted }) => !verdict.passed && wanted > best.wanted);
      return [
        name,
        number((100 * totals.cpuSeconds) / totals.seconds / processes),
        number(totals.lateness.p99, 1),
        number(micros, 2),
        number((processes * 1e6) / micros),
        ofMachine(cpu.machine),
        ofMachine(Math.max(0, others)),
        failed?.verdict.limit ?? 'not reached',
      ];
    }),
  );
}
