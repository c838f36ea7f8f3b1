import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Head } from './room-stream.ts';
import type { Standing } from './ports.ts';
import { SimulatedClock } from './simulation/clock.ts';
import { Streams } from './streams.ts';

// Why a hearer is told to sync. Everything else about streams is in the simulation.

interface Cut {
  hearers: string[];
  roomId: string;
  head: Head;
  reason: string;
}

async function hearing(hearers: string[]) {
  const clock = new SimulatedClock();
  const heads = new Map<string, Standing>([['room', { seq: 3, rev: 0, membersRev: 0 }]]);
  const cuts: Cut[] = [];
  const streams = new Streams<string>({
    channel: { open: async () => {}, close: () => {} },
    store: { heads: async () => heads, fill: async () => new Map() },
    timer: clock,
    tell: () => {},
    cut: (cutOff, roomId, head, reason) => void cuts.push({ hearers: [...cutOff], roomId, head, reason }),
    evictOutsiders: async () => {},
    onError: (error) => assert.fail(String(error)),
  });
  for (const hearer of hearers) (await streams.begin(hearer, ['room'])).complete(heads);
  return { streams, clock, heads, cuts };
}

const entry = (number: number, id: string) => ({ log: 'message' as const, number, seq: number, id, payload: id });

test('all hearers of a stream that is too far behind', async () => {
  const { streams, clock, heads, cuts } = await hearing(['ann', 'bob']);
  heads.set('room', { seq: 10_000, rev: 0, membersRev: 0 });
  await clock.pass(3_000);
  streams.stop();
  assert.deepEqual(cuts, [
    { hearers: ['ann', 'bob'], roomId: 'room', head: { seq: 10_000, rev: 0 }, reason: 'too far behind' },
  ]);
});

test('a hearer for whom too much has come while its page was read', async () => {
  const { streams, cuts } = await hearing(['ann']);
  const handOver = await streams.begin('bob', ['room']);
  for (let number = 4; number < 3_000; number += 1) streams.receive('room', [entry(number, `m${number}`)]);
  handOver.complete(new Map([['room', { seq: 3, rev: 0 }]]));
  streams.stop();
  assert.deepEqual(cuts, [
    { hearers: ['bob'], roomId: 'room', head: { seq: 2_999, rev: 0 }, reason: 'too far behind' },
  ]);
});

test('who does not know what became of a message that the others were told', async () => {
  const { streams, cuts } = await hearing(['ann', 'bob']);
  streams.expectOwn('m4', 'ann');
  streams.receive('room', [entry(4, 'm4')]);
  streams.failOwn('m4', 'room', 'ann');
  streams.expectOwn('m5', 'ann');
  streams.failOwn('m5', 'room', 'ann'); // not told to anybody: it may be told yet, or never
  streams.stop();
  assert.deepEqual(cuts, [
    { hearers: ['ann'], roomId: 'room', head: { seq: 4, rev: 0 }, reason: 'own message unclear' },
  ]);
});

test('a hearer that is gone while its first page is read does not begin to hear', async () => {
  const { streams } = await hearing([]);
  const handOver = await streams.begin('ann', ['room']);
  streams.removeFromAll('ann');
  handOver.complete(new Map([['room', { seq: 3, rev: 0 }]]));
  assert.equal(streams.hears('ann', 'room'), false);
  assert.equal(streams.size, 0);
  streams.stop();
});
