import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Owner } from '@parley/test-support';
import { Histogram, type Counts } from '../../measure/histogram.ts';
import { mergeHerds } from '../totals.ts';
import { startChatServer, type ChatServer, type Mistakes } from './chat-server.ts';
import { nowMicros } from './clock.ts';
import { runHerd } from './herd.ts';
import { Pool } from './pool.ts';
import { Tally } from './tally.ts';

const KILL_IN_MS = 50;
const TALK_SECONDS = 0.4;

/** Six clients in two rooms talk while one of two gateways hangs up on its three. */
async function herdAt(
  owner: Owner,
  mistakes: Mistakes = {},
  afterKill: (server: ChatServer) => void = () => {},
  noticedAfterMs = 0,
) {
  const server = await startChatServer(owner, mistakes);
  const tally = new Tally();
  const crowd = { name: 'bench', urls: [server.url], jwtSecret: 'x'.repeat(32), clients: 6, rooms: 2, bytes: 64 };
  const pool = new Pool({ ...crowd, place: 0, generators: 1, opening: 1 }, tally);
  owner.after(async () => pool.close());
  await pool.open();
  const killAt = nowMicros() + KILL_IN_MS * 1_000;
  const herding = runHerd({
    clients: pool.clients,
    tally,
    bytes: crowd.bytes,
    sendsPerSecond: 200,
    seconds: TALK_SECONDS,
    victim: 'gateway1',
    killAt,
    backOff: { firstMs: 100, longestMs: 200 },
  });
  await sleep(KILL_IN_MS + noticedAfterMs);
  server.hangUp('gateway1');
  afterKill(server);
  const counts = await herding;
  /** One for each hearer of each message that is kept. */
  const expected = server.heads().reduce((sum, head) => sum + 3 * head, 0);
  return { server, counts, expected, hearing: pool.clients.filter(({ isHearing }) => isHearing).length };
}

function filled(values: number[]): Counts {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram.counts();
}

function countOf(counts: Counts): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

test('brings back who was lost, with all that was said meanwhile', async (t) => {
  const { counts, expected, hearing } = await herdAt(t);
  const { lost, absent, back, failures, othersLost, missing, reordered, repeats, deliveries, caughtUp } = counts;
  assert.deepEqual({ lost, absent, back: countOf(back), hearing }, { lost: 3, absent: 0, back: 3, hearing: 6 });
  assert.deepEqual({ failures, othersLost }, { failures: {}, othersLost: {} });
  assert.deepEqual({ missing, reordered, repeats }, { missing: 0, reordered: 0, repeats: 0 });
  assert.equal(deliveries + caughtUp, expected);
  assert.ok(countOf(counts.others.flat()) <= deliveries);
});

/** So that each of the three who are away has missed something; the three others never hear it. */
const keepOne = (server: ChatServer): void => server.keepInSilence();

test('finds what a sync leaves out', async (t) => {
  const { counts } = await herdAt(t, { sync: (messages) => messages.slice(1) }, keepOne);
  assert.equal(counts.missing, 6);
});

test('finds what a sync repeats', async (t) => {
  const { counts } = await herdAt(t, { sync: (messages) => [...messages, ...messages.slice(-1)] }, keepOne);
  assert.deepEqual({ repeats: counts.repeats, missing: counts.missing }, { repeats: 3, missing: 3 });
});

test('finds what was kept of which nobody was told', async (t) => {
  let isOver = false;
  const mistakes = { refuses: () => (isOver ? 'UNAVAILABLE' : undefined) };
  const { counts } = await herdAt(t, mistakes, (server) => {
    // No later message shows it.
    isOver = true;
    server.keepInSilence();
  });
  assert.equal(counts.missing, 3);
});

test('tries again until it is let in, and says why not', async (t) => {
  const { counts, hearing } = await herdAt(t, {
    connect: (connection) => (connection > 6 && connection <= 9 ? 'UNAVAILABLE' : undefined),
  });
  assert.equal(hearing, 6);
  assert.deepEqual(counts.failures, { 'refused with UNAVAILABLE, waiting for the CONNECT': 3 });
  assert.equal(counts.missing, 0);
});

test('waits for those who notice only after the talk that their gateway is gone', async (t) => {
  const { counts, hearing } = await herdAt(t, {}, undefined, TALK_SECONDS * 1_000 + 200);
  const { lost, absent, missing } = counts;
  assert.deepEqual({ lost, absent, missing, hearing }, { lost: 3, absent: 0, missing: 0, hearing: 6 });
});

test('tells others who lost their connection from those of the gateway', async (t) => {
  const { counts, hearing } = await herdAt(t, {}, (server) => server.hangUp('gateway2'));
  assert.equal(counts.lost, 3);
  assert.deepEqual(counts.othersLost, { 'closed by the server': 3 });
  assert.deepEqual({ hearing, missing: counts.missing }, { hearing: 6, missing: 0 });
});

test('counts what the others heard only while somebody was away', async (t) => {
  const { counts } = await herdAt(t);
  const parts = [
    { ...counts, back: filled([200_000, 300_000]), others: [filled([5_000]), filled([7_000])] },
    { ...counts, back: filled([1_200_000]), others: [filled([9_000]), [], filled([90_000])] },
  ];
  const { back, others, othersBySecond, lost } = mergeHerds(parts);
  assert.equal(lost, 6);
  assert.equal(others.count, 3, 'of the first two seconds, in which the last came back');
  assert.ok(others.max < 10);
  assert.deepEqual(
    othersBySecond.map(({ count }) => count),
    [2, 1, 1],
  );
  assert.ok(back.half >= 0.3 && back.half < 0.31 && back.all >= 1.2 && back.all < 1.23, JSON.stringify(back));
});
