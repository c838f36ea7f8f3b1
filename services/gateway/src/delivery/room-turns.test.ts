import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoomTurns } from './room-turns.ts';

class Overdue extends Error {}

test('one after another in a room, in the order of the asking; rooms do not wait for each other', async () => {
  const turns = new RoomTurns({ patienceMs: 1_000, overdue: () => new Overdue() });
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const work = (name: string, waitsFor?: Promise<void>) => async () => {
    await waitsFor;
    done.push(name);
    return name;
  };
  const first = turns.take('red', work('first', gate.promise));
  const failing = turns.take('red', () => Promise.reject(new Error('no')));
  const second = turns.take('red', work('second'));
  assert.equal(await turns.take('blue', work('other')), 'other');
  assert.deepEqual(done, ['other']);
  gate.resolve();
  await assert.rejects(failing, /no/);
  assert.deepEqual(await Promise.all([first, second]), ['first', 'second']);
  assert.deepEqual(done, ['other', 'first', 'second']);
  await new Promise(setImmediate);
  assert.equal(turns.size, 0);
});

test('what has waited too long is not done any more', async () => {
  let now = 0;
  const turns = new RoomTurns({ patienceMs: 100, overdue: () => new Overdue(), now: () => now });
  const gate = Promise.withResolvers<void>();
  const first = turns.take('red', () => gate.promise);
  const late = turns.take('red', () => assert.fail('it was done'));
  await new Promise(setImmediate); // the first one is at work
  now = 90;
  const inTime = turns.take('red', () => Promise.resolve('done'));
  now = 101;
  gate.resolve();
  await first;
  await assert.rejects(late, Overdue);
  assert.equal(await inTime, 'done');
});
