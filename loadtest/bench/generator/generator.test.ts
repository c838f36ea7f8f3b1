import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Owner } from '@parley/test-support';
import { eventually } from '@parley/test-support';
import type { WebSocket } from 'ws';
import { Histogram } from '../../measure/histogram.ts';
import { startChatServer, type ChatServer, type Fault } from './chat-server.ts';
import { nowMicros } from './clock.ts';
import type { Crowd, Pace } from './orders.ts';
import { Pool } from './pool.ts';
import { runStep } from './step.ts';
import { Tally } from './tally.ts';

const crowd: Omit<Crowd, 'urls'> = {
  name: 'bench',
  jwtSecret: 'x'.repeat(32),
  clients: 6,
  rooms: 2,
  place: 0,
  generators: 1,
  bytes: 64,
  opening: 3,
};

async function openPool(owner: Owner, server: Pick<ChatServer, 'url'>, more: Partial<Crowd> = {}, pace?: Pace) {
  const tally = new Tally();
  const pool = new Pool({ ...crowd, urls: [server.url], ...more }, tally);
  owner.after(async () => pool.close());
  const opened = await pool.open(pace);
  const run = () =>
    runStep({ clients: pool.clients, tally, sendsPerSecond: 100, seconds: 0.3, skipSeconds: 0, bytes: crowd.bytes });
  return { pool, opened, run };
}

async function stepWith(owner: Owner, fault: Fault) {
  const { run } = await openPool(owner, await startChatServer(owner, { fault }));
  return run();
}

test('counts every delivery of a faultless server, and measures each', async (t) => {
  const { opened, run } = await openPool(t, await startChatServer(t));
  assert.equal(opened.hearing, 6);
  assert.deepEqual(opened.failures, {});
  for (let step = 0; step < 2; step += 1) {
    const { sent, acked, deliveries, expected, missing, reordered, repeats, latency, ack } = await run();
    assert.deepEqual({ sent, acked, deliveries }, { sent: 30, acked: 30, deliveries: 90 });
    assert.deepEqual({ expected, missing, reordered, repeats }, { expected: 90, missing: 0, reordered: 0, repeats: 0 });
    const counted = [latency, ack].map((counts) => counts.reduce((sum, [, count]) => sum + count, 0));
    assert.deepEqual(counted, [90, 30]);
  }
});

test('finds what a server leaves out', async (t) => {
  const { missing } = await stepWith(t, (packet, seq) => (seq % 5 === 0 ? [] : [packet]));
  assert.equal(missing, 18);
});

test('finds what a server repeats', async (t) => {
  const { repeats, missing } = await stepWith(t, (packet, seq) => (seq === 4 ? [packet, packet] : [packet]));
  assert.deepEqual({ repeats, missing }, { repeats: 6, missing: 0 });
});

test('finds what a server sends in a wrong order', async (t) => {
  let kept = '';
  const { reordered, missing } = await stepWith(t, (packet, seq) => {
    if (packet.includes('bench-1')) return [packet];
    if (seq === 3) {
      kept = packet;
      return [];
    }
    return seq === 4 ? [packet, kept] : [packet];
  });
  assert.deepEqual({ reordered, missing }, { reordered: 3, missing: 0 });
});

test('counts refusals by their code, and expects nothing of them', async (t) => {
  const server = await startChatServer(t, {
    refuses: (send) => (send % 10 === 0 ? 'RATE_LIMITED' : undefined),
  });
  const { errors, acked, deliveries, missing } = await (await openPool(t, server)).run();
  assert.deepEqual(
    { errors, acked, deliveries, missing },
    { errors: { RATE_LIMITED: 3 }, acked: 27, deliveries: 81, missing: 0 },
  );
});

test('reads streamed frames of any length in pieces of any length', async (t) => {
  const server = await startChatServer(t, {
    // Around the bounds of the three forms of a length.
    fault: (packet, seq) => ['x'.repeat([0, 125, 126, 65_535, 65_536, 300_000][seq % 6] ?? 0), packet],
  });
  const { deliveries, missing } = await (await openPool(t, server)).run();
  assert.deepEqual({ deliveries, missing }, { deliveries: 90, missing: 0 });
});

test('takes part of the rooms, with all their clients', async (t) => {
  const server = await startChatServer(t);
  const parts = await Promise.all([0, 1].map((place) => openPool(t, server, { rooms: 3, place, generators: 2 })));
  assert.deepEqual(
    parts.map(({ opened }) => opened.hearing),
    [4, 2],
  );
});

test('counts connections that end, and opens them again', async (t) => {
  const server = await startChatServer(t);
  const { pool, run } = await openPool(t, server);
  server.hangUp();
  await eventually(() => assert.ok(pool.clients.every((client) => !client.isHearing)));
  assert.equal((await pool.open()).hearing, 6);
  const { deliveries, missing } = await run();
  assert.deepEqual({ deliveries, missing }, { deliveries: 90, missing: 0 });
});

test('says why nobody gets in', async (t) => {
  const { opened } = await openPool(t, { url: 'http://127.0.0.1:1' });
  assert.deepEqual(opened.failures, { ECONNREFUSED: 6 });
});

test('begins connections in their turn, whatever became of those before', async (t) => {
  const waiting: (() => void)[] = [];
  const server = await startChatServer(t, {
    join: (answer) => {
      waiting.push(answer);
      if (waiting.length === 6) for (const each of waiting) each();
    },
  });
  const pace = { perSecond: 200, beginAt: nowMicros() };
  const { opened } = await openPool(t, server, { opening: 1 }, pace);
  assert.equal(opened.hearing, 6);
  assert.deepEqual(opened.failures, {});
});

test('counts from when a connection was due, and says how late it was begun', async (t) => {
  const pace = { perSecond: 1_000, beginAt: nowMicros() - 5e6 };
  const { opened } = await openPool(t, await startChatServer(t), {}, pace);
  for (const counts of [opened.handshake, opened.lateness]) {
    const times = new Histogram();
    times.merge(counts);
    assert.equal(times.count, 6);
    // The last one was due 5 ms after the first.
    assert.ok(times.quantile(0) >= 4.9e6, `${times.quantile(0)}`);
  }
  assert.ok(opened.seconds >= 5);
});

test('has the turns of all generators follow on each other', async (t) => {
  const server = await startChatServer(t);
  const pools = await Promise.all([0, 1].map((place) => openPool(t, server, { rooms: 3, place, generators: 2 })));
  assert.deepEqual(
    pools.map(({ pool }) => pool.clients.map(({ number }) => number)),
    [
      [0, 2, 3, 5],
      [1, 4],
    ],
  );
});

for (const [how, end, reason] of [
  ['cuts the line', (client) => client.terminate(), 'closed by the server'],
  ['says goodbye', (client) => client.close(), 'goodbye of the server, without a status'],
  ['says why', (client) => client.close(1013), 'goodbye of the server, status 1013'],
] satisfies [string, (client: WebSocket) => void, string][]) {
  test(`says what a client waited for when a server ${how}`, async (t) => {
    const server = await startChatServer(t, { join: (_answer, client) => end(client) });
    const { opened } = await openPool(t, server);
    assert.deepEqual(opened.failures, { [`${reason}, waiting for the join`]: 6 });
  });
}
