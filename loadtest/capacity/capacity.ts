/**
 * Says what a cluster needs for a load: `node loadtest/capacity/capacity.ts --connections 100000`. The table for
 * docs/scaling.md comes from here.
 */
import { parseArgs } from 'node:util';
import { measuredCosts } from './measured.ts';
import { needsOf, type Load, type Needs } from './model.ts';

const USAGE = `node loadtest/capacity/capacity.ts [options]

  --connections LIST   sockets, a line each (10000,100000,1000000)
  --room-size N        sockets that hear a message (50)
  --every SECONDS      a socket says something so often (50)
  --connects SHARE     of all sockets that come in a second (0.001)`;

const COLUMNS: readonly (readonly [title: string, value: (needs: Needs, load: Load) => string])[] = [
  ['connections', (_, load) => count(load.connections)],
  ['sends/s', (needs) => count(needs.sendsPerSecond)],
  ['deliveries/s', (needs) => count(needs.deliveriesPerSecond)],
  ['gateways', (needs) => count(needs.gateways)],
  ['a message is heard on', (needs) => needs.heardOn.toFixed(1)],
  ['their memory', (needs) => `${count(needs.gatewayBytes / 1e9, 1)} GB`],
  ['HAProxy cores', (needs) => count(needs.haproxyCores, 1)],
  ['its descriptors', (needs) => count(needs.haproxyDescriptors)],
  ['Redis shards', (needs) => count(needs.redisShards)],
  ['PostgreSQL cores', (needs) => count(needs.postgresCores, 1)],
];

main();

function main(): void {
  let loads: Load[];
  try {
    loads = readLoads(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  process.stdout.write(`| ${COLUMNS.map(([title]) => title).join(' | ')} |\n|${'---:|'.repeat(COLUMNS.length)}\n`);
  for (const load of loads) {
    const needs = needsOf(load, measuredCosts);
    process.stdout.write(`| ${COLUMNS.map(([, value]) => value(needs, load)).join(' | ')} |\n`);
  }
}

/** @throws Error with one line for the user */
function readLoads(args: string[]): Load[] {
  const text = { type: 'string' } as const;
  const options = { connections: text, 'room-size': text, every: text, connects: text };
  const { values } = parseArgs({ args, options });
  const positive = (name: string, value: string): number => {
    if (!(Number(value) > 0 && Number(value) <= 1e8)) throw new Error(`--${name} has to be a number above 0`);
    return Number(value);
  };
  const roomSize = positive('room-size', values['room-size'] ?? '50');
  const every = positive('every', values.every ?? '50');
  const connects = positive('connects', values.connects ?? '0.001');
  return (values.connections ?? '10000,100000,1000000').split(',').map((each) => {
    const connections = positive('connections', each);
    return { connections, roomSize, sendsPerSocket: 1 / every, connectsPerSecond: connections * connects };
  });
}

function count(value: number, digits = 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
