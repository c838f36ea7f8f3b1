import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchHighest } from './search.ts';

async function search(highest: number, { start = 10_000, limit = 1e6, precision = 0.1, hiccups = 0 } = {}) {
  const tried: number[] = [];
  let left = hiccups;
  const { best, steps } = await searchHighest({
    start,
    limit,
    precision,
    run: async (rate) => {
      tried.push(Math.round(rate));
      return { rate, passed: rate <= highest && (left -= 1) < 0 };
    },
    passes: (step) => step.passed,
  });
  assert.equal(steps.length, tried.length);
  return { best: best?.rate, tried };
}

for (const highest of [900, 9_000, 12_345, 77_000, 400_000]) {
  test(`finds ${highest} to the precision asked for`, async () => {
    const { best = 0, tried } = await search(highest);
    assert.ok(best <= highest && best >= highest * 0.89, `${best}`);
    assert.ok(tried.length <= 25, tried.join(' '));
  });
}

test('tries a rate again before it counts as failed', async () => {
  const { best = 0, tried } = await search(50_000, { hiccups: 1 });
  assert.deepEqual(tried.slice(0, 3), [10_000, 10_000, 16_000]);
  assert.ok(best >= 50_000 * 0.89);
});

test('stays below the limit', async () => {
  assert.equal((await search(1e9, { limit: 30_000 })).best, 30_000);
});

test('gives up when nothing passes', async () => {
  const { best, tried } = await search(0);
  assert.equal(best, undefined);
  assert.ok(tried.length < 12, tried.join(' '));
});
