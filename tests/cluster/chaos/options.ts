import { parseArgs } from 'node:util';
import { FAULTS } from '../faults/all.ts';
import type { Random } from './random.ts';
import type { Fault } from './stage.ts';

export interface ChaosOptions {
  /** How long to go on drawing faults; undefined: each once. */
  minutes: number | undefined;
  seed: number;
  faults: readonly Fault[];
  clients: number;
  rooms: number;
  /** Sends a second. */
  rate: number;
  replicas: number;
  /** Where the cluster, the report and the picture are put. */
  directory: string;
}

const USAGE = `npm run chaos -- [options]

  --minutes N     go on for so long, drawing faults; default: every fault once
  --seed N        makes the same choices again; default: a new one
  --faults A,B    only these; default: all (${[...FAULTS.keys()].join(', ')})
  --clients N     default 300
  --rooms N       default 20
  --rate N        sends a second, default 300
  --replicas N    gateways, default 3
  --directory D   default .parley/chaos/<time>-<seed>
  --help`;

/** @throws Error with what is wrong, for the terminal */
export function readOptions(args: string[]): ChaosOptions | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      minutes: text,
      seed: text,
      faults: text,
      clients: text,
      rooms: text,
      rate: text,
      replicas: text,
      directory: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return undefined;
  }
  const number = (name: 'seed' | 'clients' | 'rooms' | 'rate' | 'replicas', byDefault: number, least = 1): number => {
    const value = values[name] === undefined ? byDefault : Number(values[name]);
    if (!Number.isSafeInteger(value) || value < least)
      throw new Error(`--${name} has to be a whole number from ${least}`);
    return value;
  };
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0)) throw new Error('--minutes has to be above 0');
  const seed = number('seed', Date.now() % 1_000_000, 0);
  const stamp = new Date().toISOString().replace(/[:.]/g, '-').slice(0, 19);
  return {
    minutes,
    seed,
    faults: faultsOf(values.faults),
    clients: number('clients', 300),
    rooms: number('rooms', 20),
    rate: number('rate', 300),
    replicas: number('replicas', 3),
    directory: values.directory ?? `.parley/chaos/${stamp}-${seed}`,
  };
}

function faultsOf(names: string | undefined): Fault[] {
  if (names === undefined) return [...FAULTS.values()];
  return names.split(',').map((name) => {
    const fault = FAULTS.get(name.trim());
    if (!fault) throw new Error(`There is no fault "${name}". There are: ${[...FAULTS.keys()].join(', ')}`);
    return fault;
  });
}

/** Each fault once; with a time to fill, rounds of them in another order each time. */
export function* schedule({ faults, minutes }: ChaosOptions, random: Random): Generator<Fault> {
  const until = minutes === undefined ? 0 : Date.now() + minutes * 60_000;
  if (minutes === undefined) yield* faults;
  while (Date.now() < until) {
    for (const fault of random.shuffle(faults)) {
      if (Date.now() >= until) return;
      yield fault;
    }
  }
}
