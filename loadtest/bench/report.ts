import { availableParallelism } from 'node:os';
import { machineLine, type Machine } from '../measure/machine.ts';
import { number, table } from '../measure/table.ts';
import type { StoreWork } from './costs.ts';
import type { Measured, Step } from './measure-target.ts';
import type { BenchOptions } from './options.ts';

/** The result of a run, as it is written to a file. */
export interface BenchResult {
  at: string;
  machine: Machine;
  options: BenchOptions;
  targets: Measured[];
}

/** The tables of a run, for a terminal and for docs/performance.md alike. */
export function renderReport({ at, machine, options, targets }: BenchResult): string {
  const { clients, rooms, seconds, p99, quiet } = options;
  return [
    `${clients} clients in ${rooms} rooms, ${options.replicas} gateways, steps of ${seconds} s, ${at}`,
    machineLine(machine),
    `\nThe most deliveries a second with p99 under ${p99} ms and nothing missing:\n`,
    limits(targets),
    `\nConnecting and joining, ${options.opening} at a time:\n`,
    connections(targets),
    `\nMemory of all gateways together (the smaller the crowd, the more of it is not the connections'):\n`,
    memory(targets),
    `\nWhat it costs, at the best rate and at ${number(quiet)} deliveries/s: CPU in ms for 1,000 deliveries\n`,
    costs(targets),
    ...(targets.some(hasStores) ? [`\nWork of the stores for each message sent:\n`, storeWork(targets)] : []),
    `\nThe generator, at each best rate:\n`,
    generator(targets, options.generators),
  ].join('\n');
}

function limits(targets: readonly Measured[]): string {
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

function connections(targets: readonly Measured[]): string {
  return table(
    ['', 'sockets', 'refused', 'per second', 'handshake p50 ms', 'p99 ms', 'CPU ms each', 'Redis calls each'],
    targets.map(({ name, connecting: { opened, perSecond, cpu, redisCalls } }) => [
      name,
      number(opened.hearing),
      number(Object.values(opened.failures).reduce((sum, count) => sum + count, 0)),
      number(perSecond),
      number(opened.handshake.p50, 1),
      number(opened.handshake.p99, 1),
      number((1_000 * (cpu.gateways + cpu.haproxy + cpu.redis + cpu.postgres)) / opened.hearing, 2),
      number(redisCalls, 1),
    ]),
  );
}

/** Of the gateways, idle, with all connections. */
function memory(targets: readonly Measured[]): string {
  return table(
    [
      '',
      'empty MB',
      'KB for a connection',
      'idle CPU % of a core',
      'connections of the churn',
      'MB before',
      'MB after',
    ],
    targets.map(({ name, connecting: { bytesPerConnection, emptyGatewaysBytes, idleCpu }, churn }) => [
      name,
      number(emptyGatewaysBytes / 1e6),
      number(bytesPerConnection / 1024, 1),
      number(idleCpu * 100, 1),
      ...(churn === undefined
        ? ['-', '-', '-']
        : [number(churn.connections), number(churn.bytesBefore / 1e6), number(churn.bytesAfter / 1e6)]),
    ]),
  );
}

function costs(targets: readonly Measured[]): string {
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

function hasStores({ name }: Measured): boolean {
  return !name.startsWith('bare');
}

function storeWork(targets: readonly Measured[]): string {
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
function generator(targets: readonly Measured[], processes: number): string {
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
