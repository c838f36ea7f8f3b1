import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, latencyOf } from './histogram.ts';

function filled(values: Iterable<number>): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

test('knows small values exactly', () => {
  const histogram = filled([0, 1, 2, 3, 63]);
  assert.equal(histogram.quantile(0.5), 2);
  assert.equal(histogram.quantile(1), 63);
  assert.equal(histogram.max, 63);
});

test('is never below the true quantile, and at most 1/64 above it', () => {
  // Values over the whole range, by a generator with a known seed.
  let seed = 7;
  const values = Array.from({ length: 10_000 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(10 ** (9 * (seed / 2_147_483_648)));
  });
  const histogram = filled(values);
  const sorted = values.toSorted((a, b) => a - b);
  for (const part of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = sorted[Math.ceil(part * sorted.length) - 1] as number;
    const told = histogram.quantile(part);
    assert.ok(told >= exact && told <= exact * (1 + 1 / 64) + 1, `${part}: ${told} for ${exact}`);
  }
});

test('takes what lies outside its range at its ends', () => {
  const histogram = filled([-5, 1e12]);
  assert.equal(histogram.count, 2);
  assert.equal(histogram.quantile(0.5), 0);
  assert.equal(histogram.max, 2 ** 31 - 1);
});

test('says the same after a journey and a merge', () => {
  const [low, high] = [filled([10, 20, 30]), filled([1_000, 2_000_000])];
  const merged = new Histogram();
  for (const part of [low, high]) merged.merge(JSON.parse(JSON.stringify(part.counts())));
  assert.deepEqual(merged.counts(), filled([10, 20, 30, 1_000, 2_000_000]).counts());
  assert.equal(merged.count, 5);
});

test('has zeros when it is empty, and after it was cleared', () => {
  const nothing = { count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 };
  assert.deepEqual(latencyOf(new Histogram()), nothing);
  const histogram = filled([5, 6]);
  histogram.clear();
  assert.deepEqual(latencyOf(histogram), nothing);
});

test('tells milliseconds', () => {
  const { p50, max } = latencyOf(filled([2_000, 2_000, 50_000]));
  assert.ok(p50 >= 2 && p50 < 2.04, String(p50));
  assert.ok(max >= 50 && max < 51, String(max));
});
