/**
 * What floods of bad logins do to a gateway, in figures:
 *
 *   node tests/abuse/bad-logins.ts [--logins 10000] [--pairs 500] [--crowd 1000]
 *
 * One gateway in a process of its own, on stores of its own, with RATE_AUTH and RATE_REST off: otherwise they would
 * refuse nearly all of it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Owner } from '@parley/test-support';
import { startStores } from '../stores.ts';
import { newAccount } from '../support/accounts.ts';
import { childGateways, type ChildGateway } from '../support/child-gateways.ts';
import { callOk, http } from '../support/http.ts';
import { describe, rankDistance } from './figures/distribution.ts';

const { values } = parseArgs({
  options: {
    logins: { type: 'string', default: '10000' },
    pairs: { type: 'string', default: '500' },
    crowd: { type: 'string', default: '1000' },
  },
});
const agent = new Agent({ keepAlive: true, maxSockets: 50 });
const closers: (() => Promise<void>)[] = [];
const owner: Owner = { after: (close) => void closers.push(close) };
const print = (line: string) => void process.stdout.write(`${line}\n`);

interface Outcome {
  status: number;
  ms: number;
}

/** @param address where it seems to come from */
function post(gateway: ChildGateway, path: string, body: object, address: string): Promise<Outcome> {
  const startedAt = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
  const options = { host: gateway.host, port: gateway.port, path, method: 'POST', headers, agent };
  const request = httpRequest(options, (response) => {
    response.resume();
    response.on('end', () => resolve({ status: response.statusCode ?? 0, ms: performance.now() - startedAt }));
  });
  request.on('error', reject);
  request.end(JSON.stringify(body));
  return promise;
}

const login = (gateway: ChildGateway, username: string, address: string) =>
  post(gateway, '/api/auth/login', { username, password: 'wrong horse battery' }, address);

/** `10.x.y.z`, another one for each number. */
const addressOf = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

const idle = fork(join(import.meta.dirname, 'figures/idle-process.ts'));
closers.push(async () => void idle.kill());

/** Delay of the gateway's event loop since it was asked last, that of a process which does nothing, and its memory. */
async function vitals(gateway: ChildGateway): Promise<string> {
  const { text } = await http({ url: gateway.metricsUrl }, '/metrics');
  const of = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const delay = ['p50', 'p99', 'max'].map((part) => of(`nodejs_eventloop_lag_${part}_seconds`) * 1_000);
  const answered = once(idle, 'message');
  idle.send('delay');
  const [ofNothing] = (await answered) as [number[]];
  const say = ([p50 = 0, p99 = 0, max = 0]: number[]) =>
    `p50 ${p50.toFixed(1)}  p99 ${p99.toFixed(1)}  max ${max.toFixed(1)} ms`;
  const memory = (of('process_resident_memory_bytes') / 2 ** 20).toFixed(0);
  return [
    `event loop delay, gateway          ${say(delay)}; resident ${memory} MiB`,
    `event loop delay, an idle process  ${say(ofNothing)}`,
  ].join('\n  ');
}

function countByStatus(outcomes: readonly Outcome[]): string {
  const counts = new Map<number, number>();
  for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
}

async function inParallel(count: number, width: number, run: (n: number) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      outcomes.push(await run(next));
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return outcomes;
}

/** One account, one address: ten are looked at, the others meet the lock. */
async function lockOut(gateway: ChildGateway, username: string): Promise<void> {
  const count = Number(values.logins);
  const startedAt = performance.now();
  const outcomes = await inParallel(count, 50, () => login(gateway, username, '192.0.2.1'));
  const seconds = (performance.now() - startedAt) / 1_000;
  print(`\n${count} bad logins, one account, one address, 50 at a time: ${seconds.toFixed(1)} s`);
  print(`  ${countByStatus(outcomes)}   (401 wrong password, 429 locked)`);
  print(
    `  ${describe(
      'time of an answer',
      outcomes.map(({ ms }) => ms),
    )}`,
  );
  print(`  ${await vitals(gateway)}`);
}

/** Many addresses at once: no lock, every one has to be hashed, and only so many may wait. */
async function crowd(gateway: ChildGateway, usernames: readonly string[]): Promise<void> {
  const count = Number(values.crowd);
  agent.maxSockets = Infinity;
  const startedAt = performance.now();
  const outcomes = inParallel(count, count, (n) => login(gateway, usernames[n % usernames.length] ?? '', addressOf(n)));
  const alive = await http(gateway, '/health/live');
  const aliveMs = performance.now() - startedAt;
  const all = await outcomes;
  const seconds = (performance.now() - startedAt) / 1_000;
  print(`\n${count} bad logins at once, each from another address: ${seconds.toFixed(1)} s`);
  print(`  ${countByStatus(all)}   (401 wrong password, 503 too many wait)`);
  print(`  meanwhile GET /health/live: ${alive.status} after ${aliveMs.toFixed(0)} ms`);
  print(`  ${await vitals(gateway)}`);
}

/** One after another, in turn and from addresses of their own, so that nothing but the account differs. */
async function compare(
  title: string,
  names: readonly [string, string],
  run: (which: 0 | 1, n: number) => Promise<Outcome>,
): Promise<void> {
  const pairs = Number(values.pairs);
  const times: [number[], number[]] = [[], []];
  for (let n = 0; n < pairs; n += 1) {
    const order = n % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) times[which].push((await run(which, 2 * n + which)).ms);
  }
  print(`\n${title}, one at a time, in turn`);
  print(`  ${describe(names[0], times[0])}`);
  print(`  ${describe(names[1], times[1])}`);
  const halves = times[0].map((_, index) => index % 2 === 0);
  const even = times[0].filter((_, index) => halves[index]);
  const odd = times[0].filter((_, index) => !halves[index]);
  print(
    `  apart by ${rankDistance(...times).toFixed(2)} standard errors; noise against noise: ${rankDistance(even, odd).toFixed(2)}`,
  );
}

async function main(): Promise<void> {
  const stores = await startStores();
  closers.push(() => stores.stop());
  const gateways = await childGateways(owner, {
    TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'warn',
    AUTH_CODE_ECHO: 'false',
  });
  const gateway = await gateways.start({ LOG_LEVEL: 'info' });
  const accounts = [];
  for (let n = 0; n < 20; n += 1) accounts.push(await newAccount(gateway));
  const usernames = accounts.map(({ username }) => username);
  const knownOf = (n: number) => usernames[n % usernames.length] ?? '';
  await vitals(gateway); // what came before does not count

  await lockOut(gateway, knownOf(0));
  await crowd(gateway, usernames);
  agent.maxSockets = 1;
  await compare('POST /auth/login', ['unknown user', 'wrong password'], (which, n) =>
    login(gateway, which === 0 ? `nobody-${n % 20}` : knownOf(n), addressOf(100_000 + n)),
  );
  await compare('POST /auth/code', ['unknown user', 'known user'], (which, n) =>
    post(gateway, '/api/auth/code', { username: which === 0 ? `nobody-${n % 20}` : knownOf(n) }, addressOf(n)),
  );
  await compare('POST /auth/code/verify, a wrong code', ['unknown user', 'known user'], (which, n) => {
    const body = { username: which === 0 ? `nobody-${n % 20}` : knownOf(n), code: '000000' };
    return post(gateway, '/api/auth/code/verify', body, addressOf(200_000 + n));
  });
  print(`  ${await vitals(gateway)}`);
  await callOk(gateway, 'healthReady');
  const machine = (await readFile('/proc/loadavg', 'utf8').catch(() => '')).trim();
  print(`\nload of the machine: ${machine}`);
}

try {
  await main();
} finally {
  agent.destroy();
  for (const close of closers.toReversed()) await close();
}
