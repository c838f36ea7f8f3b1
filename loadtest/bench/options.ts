import { parseArgs } from 'node:util';
import { edgesFor } from '../target/descriptors.ts';
import type { Kind } from '../target/target.ts';

/** What `npm run bench` is asked for. */
export interface BenchOptions {
  only: readonly Kind[];
  clients: number;
  rooms: number;
  /** Length of a step, in seconds. */
  seconds: number;
  /** How long it runs at the start rate before anything is judged by its times, in seconds. */
  warm: number;
  /** Gateways. */
  replicas: number;
  /** HAProxy processes. */
  edges: number;
  /** Processes of the generator. */
  generators: number;
  /** Length of a message's content. */
  bytes: number;
  /** Deliveries a second with which the search begins. */
  start: number;
  /** No more deliveries a second than that are tried. */
  limit: number;
  /** A rate passes below this 99th percentile, in milliseconds. */
  p99: number;
  /** Deliveries a second of the first step, at which costs are compared. */
  quiet: number;
  /** For how many milliseconds the bare fan-out gathers, one run each. */
  gather: readonly number[];
  /** Handshakes under way at once, where no rate is given. */
  opening: number;
  /** Connections a second, whatever the answers take; 0 for `opening` at once. */
  connectRate: number;
  /** So many come, talk and go before connections are counted at a rate. */
  warmClients: number;
  /** Whether messages are sent at rising rates. */
  steps: boolean;
  /** How long the idle cluster is watched, in seconds. */
  idle: number;
  /** How close the search comes, as a share. */
  precision: number;
  /** The longest wait for the statistics of PostgreSQL, in seconds. */
  patience: number;
  /** So many connections come and go in the end, to see whether memory comes back; 0 leaves it out. */
  churn: number;
  /** Deliveries a second while a gateway is killed in the end; 0 leaves it out. Parley only. */
  herd: number;
  /** How long there is talk after the kill, in seconds. */
  herdSeconds: number;
  /** Where the result goes. */
  out: string;
}

export const USAGE = `npm run bench -- [options]

Measures the plain cluster, a bare fan-out and Parley in turn: the most deliveries a second with p99 under a bound and
nothing missing, memory and time of a connection, CPU and work of the stores.

  --only LIST          of parley, plain, bare (all)
  --clients N          sockets (1000)                --rooms N       rooms of equal size (20)
  --seconds N          length of a step (5)          --bytes N       length of a message (64)
  --warm N             seconds at the first rate of the search before times count (twice a step)
  --p99 MS             the bound (100)               --quiet N       deliveries/s of the first step (5000)
  --start N            deliveries/s to begin with (15000), --limit N to end with (1000000), --precision N (0.08)
  --gather LIST        ms the bare fan-out gathers, a run each (0,10,25,40)
  --replicas N         gateways (3)                  --edges N       HAProxy processes (as ulimit -Hn asks for)
  --generators N       processes of the generator (1) --opening N    handshakes under way at once (50)
  --connect-rate N     instead: connections begun each second, whatever the answers take, first by new users, then by the
                       same ones again. --warm-clients N others come, talk and go before that (1000)
  --no-steps           only connections, memory and what comes in the end: no search
  --idle N             seconds to watch it idle (5)  --patience N    seconds to wait for statistics (11)
  --churn N            connections that come and go in the end, to see whether memory comes back (0)
  --herd N             deliveries/s while a gateway is killed in the end and its clients come back; Parley only (0: leaves
                       it out). --herd-seconds N of talk after it (20)
  --out FILE           the result as JSON (.parley/bench.json)`;

const NAMES =
  'only clients rooms seconds warm bytes p99 quiet start limit precision gather replicas edges generators opening idle ' +
  'patience churn out connect-rate warm-clients herd herd-seconds';
const NO_STEPS = '--no-steps';
const KINDS: readonly Kind[] = ['parley', 'plain', 'bare'];

/** @throws Error with one line for the user */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== NO_STEPS),
    options: Object.fromEntries(NAMES.split(' ').map((name) => [name, { type: 'string' as const }])),
  });
  const number = (name: string, byDefault: number, { min = 1, max = 1e7, whole = true } = {}): number => {
    const value = Number(values[name] ?? byDefault);
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
      throw new Error(`--${name} has to be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    }
    return value;
  };
  const list = (name: string, byDefault: string): string[] => (values[name] ?? byDefault).split(',');

  const only = list('only', 'plain,bare,parley');
  if (!only.every((kind): kind is Kind => KINDS.includes(kind as Kind))) {
    throw new Error(`--only takes ${KINDS.join(', ')}, separated by commas`);
  }
  const gather = list('gather', '0,10,25,40').map(Number);
  if (!gather.every((ms) => ms >= 0 && ms <= 1000)) throw new Error('--gather takes milliseconds, such as 0,25');
  const clients = number('clients', 1_000);
  const seconds = number('seconds', 5, { min: 0.1, whole: false });
  const options = {
    only,
    gather,
    clients,
    rooms: number('rooms', 20),
    seconds,
    warm: number('warm', seconds * 2, { min: 0.1, whole: false }),
    replicas: number('replicas', 3, { max: 32 }),
    edges: number('edges', edgesFor(clients), { max: 8 }),
    generators: number('generators', 1, { max: 64 }),
    bytes: number('bytes', 64, { min: 16, max: 10_000 }),
    start: number('start', 15_000),
    limit: number('limit', 1e6, { max: 1e8 }),
    p99: number('p99', 100, { whole: false }),
    quiet: number('quiet', 5_000),
    opening: number('opening', 50),
    connectRate: number('connect-rate', 0, { min: 0 }),
    warmClients: number('warm-clients', 1_000, { min: 0 }),
    steps: !args.includes(NO_STEPS),
    idle: number('idle', 5, { min: 0.1, whole: false }),
    precision: number('precision', 0.08, { min: 0.01, max: 0.9, whole: false }),
    patience: number('patience', 11, { min: 0, whole: false }),
    churn: number('churn', 0, { min: 0 }),
    herd: number('herd', 0, { min: 0 }),
    herdSeconds: number('herd-seconds', 20, { min: 0.1, whole: false }),
    out: values['out'] ?? '.parley/bench.json',
  };
  if (options.rooms > options.clients) throw new Error('--rooms: every room needs a client');
  if (options.generators > options.rooms) throw new Error('--generators: every one needs a room');
  if (options.herd > 0 && options.replicas < 2)
    throw new Error('--herd: somebody has to be left, so take 2 --replicas');
  return options;
}
