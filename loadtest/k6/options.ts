import { parseArgs } from 'node:util';
import { edgesFor } from '../target/descriptors.ts';
import { SCENARIOS, type Scenario } from './plan.ts';
import { scenarios } from './scenarios.ts';

/** What `npm run loadtest` is asked for. */
export interface LoadOptions {
  scenario: Scenario;
  clients: number;
  rooms: number;
  roomsPerClient: number;
  /** Messages a second of the whole run. */
  rate: number;
  /** Seconds of load, and before it of load that does not count. */
  duration: number;
  warmUp: number;
  /** Connections a second of the whole run. */
  connectRate: number;
  /** Seconds of calm before the load and after it. */
  settle: number;
  actions: number;
  bytes: number;
  socketsPerVu: number;
  /** This process's part of the clients, such as `1/4`. */
  shard: { place: number; of: number };
  /** Begins the names of rooms and users; shards of one run share it. */
  run: string | undefined;
  /** When to begin, as Unix seconds, so that shards begin together. */
  at: number | undefined;
  /** Of a cluster that runs already; several are used in turn. */
  urls: readonly string[];
  /** Signs its tokens. */
  jwtSecret: string;
  replicas: number;
  edges: number;
  /** Of a cluster that is started: so many clients come, talk and go before the run. */
  warm: number;
  /** Of a cluster that is started: keeps its data and logs. */
  dataDir: string | undefined;
  k6: string | undefined;
  /** Directory of the result. */
  out: string;
}

export const USAGE = `npm run loadtest -- SCENARIO [options]

${SCENARIOS.map((name) => `  ${name.padEnd(16)} ${scenarios[name].about}`).join('\n')}

  --clients N          sockets (1000)               --rooms N, --rooms-per-client N
  --rate N             messages/s of all clients    --duration SECONDS, --warm-up SECONDS (3)
  --connect-rate N     connections/s (400 joins/s)  --actions N   joins or pages of a client each second
  --bytes N            length of a message (64)     --settle SECONDS of calm before and after the load (3)
  --sockets-per-vu N   a virtual user of k6 (500)
  --url URL[,URL]      a cluster that runs; its JWT_SECRET in the environment. Else one is started:
  --replicas N         gateways (3)                 --edges N     HAProxy processes (as ulimit -Hn asks for)
  --data-dir DIR       keeps its data and logs      --warm N      clients that come and go before the run (1000)
  --shard 1/4          the first of four generators; give all the same --run NAME, and --at UNIX_SECONDS
  --k6 PATH            the program; else it is found, built with Go, or run with Docker
  --out DIR            result.json and report.html (.parley/loadtest/SCENARIO)

  npm run loadtest -- merge DIR DIR...     one report of several shards`;

const NAMES =
  'clients rooms rooms-per-client rate duration warm-up connect-rate settle actions bytes sockets-per-vu url replicas edges warm ' +
  'data-dir shard run at k6 out';

/** Everybody joins all rooms when connected, so those with many rooms connect more slowly, if nothing else is asked for. */
const JOINS_PER_SECOND = 400;

/** @throws Error with one line for the user */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): LoadOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: Object.fromEntries(NAMES.split(' ').map((name) => [name, { type: 'string' as const }])),
  });
  const scenario = SCENARIOS.find((name) => name === positionals[0]);
  if (scenario === undefined || positionals.length > 1) throw new Error('Name one of the scenarios');
  const number = (name: string, byDefault: number, { min = 1, max = 1e7, whole = true } = {}): number => {
    const value = Number(values[name] ?? byDefault);
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
      throw new Error(`--${name} has to be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    }
    return value;
  };
  const any = { min: 0, whole: false };

  const defaults = scenarios[scenario];
  const clients = number('clients', 1_000);
  const urls = values['url']?.split(',') ?? [];
  if (!urls.every((url) => URL.canParse(url))) throw new Error('--url has to be a URL, or several with commas');
  const jwtSecret = env['JWT_SECRET'] ?? '';
  if (urls.length > 0 && jwtSecret === '')
    throw new Error('--url needs the JWT_SECRET of that cluster in the environment');
  const { perRoom, roomsPerClient } = defaults;
  const rooms = number('rooms', perRoom === 0 ? 1 : Math.ceil((clients * roomsPerClient) / perRoom));
  const ofEach = Math.min(rooms, number('rooms-per-client', roomsPerClient));
  return {
    scenario,
    clients,
    rooms,
    roomsPerClient: ofEach,
    rate: number('rate', defaults.rate(clients), any),
    duration: number('duration', defaults.duration, { min: 1, whole: false }),
    warmUp: number('warm-up', 3, any),
    connectRate: number('connect-rate', Math.ceil(JOINS_PER_SECOND / ofEach)),
    settle: number('settle', 3, any),
    actions: number('actions', defaults.actions, any),
    bytes: number('bytes', 64, { min: 13 }),
    socketsPerVu: number('sockets-per-vu', 500),
    shard: shardOf(values['shard'] ?? '1/1'),
    run: values['run'],
    at: values['at'] === undefined ? undefined : number('at', 0, { min: 0, max: 1e11, whole: false }),
    urls,
    jwtSecret,
    replicas: number('replicas', 3),
    edges: number('edges', edgesFor(clients)),
    warm: number('warm', Math.min(clients, 1_000), { min: 0 }),
    dataDir: values['data-dir'],
    k6: values['k6'],
    out: values['out'] ?? `.parley/loadtest/${scenario}`,
  };
}

function shardOf(text: string): LoadOptions['shard'] {
  const [, place = 0, of = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (place < 1 || place > of) throw new Error('--shard has to be like 1/4');
  return { place, of };
}
