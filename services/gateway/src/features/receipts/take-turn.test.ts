import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAMES_PER_WINDOW, takeTurn } from './take-turn.ts';

const readers = (count: number) =>
  new Map(Array.from({ length: count }, (_, index): [string, number] => [`u${index}`, 1]));

test('a small room is told everything at once', () => {
  const waiting = readers(20);
  assert.equal(takeTurn(waiting, 20).length, 20);
  assert.equal(waiting.size, 0);
});

test('a large room stays within its frames, the longest waiting first, and all have their turn', () => {
  const hearers = 500;
  const waiting = readers(10);
  const first = takeTurn(waiting, hearers);
  assert.equal(first.length, FRAMES_PER_WINDOW / hearers);
  waiting.set('u0', 2); // reads on, and waits behind the others
  waiting.set('u9', 7); // reads on while it waits: one frame, and its place
  const second = takeTurn(waiting, hearers);
  const third = takeTurn(waiting, hearers);
  assert.deepEqual(second, [
    ['u4', 1],
    ['u5', 1],
    ['u6', 1],
    ['u7', 1],
  ]);
  assert.deepEqual(third, [
    ['u8', 1],
    ['u9', 7],
    ['u0', 2],
  ]);
});

test('one is told however many hear it, and none when there is none', () => {
  assert.equal(takeTurn(readers(5), 1_000_000).length, 1);
  assert.equal(takeTurn(readers(5), 0).length, 5);
  assert.deepEqual(takeTurn(new Map(), 7), []);
});
