import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamCheck } from './stream-check.ts';

function seen(head: number, seqs: number[]): StreamCheck {
  const check = new StreamCheck(head);
  for (const seq of seqs) check.see(seq);
  return check;
}

function countsOf(check: StreamCheck, head: number): object {
  return { missing: check.missing(head), reordered: check.reordered, repeats: check.repeats };
}

test('finds nothing wrong with a whole stream', () => {
  assert.deepEqual(countsOf(seen(4, [5, 6, 7]), 7), { missing: 0, reordered: 0, repeats: 0 });
});

test('counts what was left out, at the end too', () => {
  assert.deepEqual(countsOf(seen(0, [1, 2, 5]), 7), { missing: 4, reordered: 0, repeats: 0 });
});

test('takes one that comes late as reordered, not as missing', () => {
  assert.deepEqual(countsOf(seen(0, [1, 3, 4, 2]), 4), { missing: 0, reordered: 1, repeats: 0 });
});

test('counts repeats, also of one that came late', () => {
  assert.deepEqual(countsOf(seen(0, [1, 1, 3, 2, 2]), 3), { missing: 0, reordered: 1, repeats: 2 });
});

test('counts as a repeat what the answer of the join had already', () => {
  assert.deepEqual(countsOf(seen(10, [10, 11]), 11), { missing: 0, reordered: 0, repeats: 1 });
});

test('says of each how it came', () => {
  const check = new StreamCheck(0);
  assert.deepEqual(
    [1, 3, 2, 2].map((seq) => check.see(seq)),
    ['next', 'ahead', 'late', 'repeat'],
  );
});

test('begins anew after a sync', () => {
  const check = seen(0, [1, 4]);
  check.restart(9);
  check.see(10);
  assert.deepEqual(countsOf(check, 10), { missing: 0, reordered: 0, repeats: 0 });
});
