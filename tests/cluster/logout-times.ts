/**
 * How long after a logout the sockets of the session hear of it, on three gateways that are processes of their own:
 *
 *   node tests/cluster/logout-times.ts [--rounds 50]
 *
 * Each round logs in, connects one socket to each gateway, and logs out at the first. Then the same with Redis stopped,
 * when every gateway has to find out from PostgreSQL.
 */
import { parseArgs } from 'node:util';
import type { Owner } from '@parley/test-support';
import { startRedis } from '@parley/test-support';
import { describe } from '../abuse/figures/distribution.ts';
import { startStores } from '../stores.ts';
import { logIn, newAccount } from '../support/accounts.ts';
import { childGateways, type ChildGateway } from '../support/child-gateways.ts';
import { connect } from '../support/client.ts';
import { callOk } from '../support/http.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } });
const closers: (() => Promise<void>)[] = [];
const owner: Owner = { after: (close) => void closers.push(close) };
const print = (line: string) => void process.stdout.write(`${line}\n`);

async function round(gateways: readonly ChildGateway[], username: string): Promise<number[]> {
  const [first] = gateways as [ChildGateway];
  const session = await logIn(first, username);
  const clients = await Promise.all(
    gateways.map((gateway) => connect(owner, gateway, session.userId, { token: session.token })),
  );
  const startedAt = performance.now();
  const heard = clients.map(
    ({ socket }) =>
      new Promise<number>((resolve) => socket.once('session:ended', () => resolve(performance.now() - startedAt))),
  );
  await callOk(first, 'authLogout', { token: session.token });
  const times = await Promise.all(heard);
  for (const client of clients) client.close();
  return times;
}

async function measure(title: string, gateways: readonly ChildGateway[], username: string, rounds: number) {
  const times: number[][] = gateways.map(() => []);
  for (let n = 0; n < rounds; n += 1) {
    for (const [index, ms] of (await round(gateways, username)).entries()) times[index]?.push(ms);
  }
  print(`\n${title}: from the request to session:ended`);
  for (const [index, of] of times.entries()) {
    print(`  ${describe(index === 0 ? 'the gateway that was asked' : `gateway ${index + 1}`, of)}`);
  }
}

try {
  const stores = await startStores();
  closers.push(() => stores.stop());
  const redis = await startRedis();
  closers.push(() => redis.remove());
  const cluster = await childGateways(owner, { REDIS_URL: redis.url });
  const gateways = [await cluster.start(), await cluster.start(), await cluster.start()];
  const rounds = Number(values.rounds);
  const { username } = await newAccount(gateways[0] as ChildGateway);
  await measure('Redis is there', gateways, username, rounds);
  await redis.stop();
  await measure('Redis is away', gateways, username, Math.ceil(rounds / 5));
} finally {
  for (const close of closers.toReversed()) await close();
}
