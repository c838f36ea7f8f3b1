import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { history, play } from './history.ts';

/** Set SIMULATION_RUNS and SIMULATION_SEED to look longer, or again. A failure prints its seed and the shrunk history. */
const runs = Number(process.env['SIMULATION_RUNS'] ?? 2_000);
const seed = process.env['SIMULATION_SEED'];

test('whatever happens, every hearer is told everything once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (played) => {
      assert.deepEqual(await play(played), []);
    }),
    { numRuns: runs, ...(seed !== undefined && { seed: Number(seed) }) },
  );
});
