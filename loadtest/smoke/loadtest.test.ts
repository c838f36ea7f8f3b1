import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProcess } from '@parley/test-support';
import { findK6, type K6 } from '../k6/find-k6.ts';
import type { LoadResult } from '../k6/result.ts';

const ROOT = join(import.meta.dirname, '../..');

/** One that is there: a test run is no time to build it. */
function presentK6(): K6 | undefined {
  try {
    return findK6({ cacheDir: join(ROOT, '.parley/k6'), mounts: [], say: () => {}, install: false });
  } catch {
    return undefined;
  }
}

const skip = presentK6() === undefined && 'there is no k6 here; npm run loadtest installs one';

test('a load test with k6 runs, checks and reports', { skip }, async (t) => {
  const out = await mkdtemp(join(tmpdir(), 'parley-load-smoke-'));
  t.after(() => rm(out, { recursive: true }));
  const settings = { clients: 20, rooms: 2, rate: 20, duration: 2, replicas: 1, out };
  const pace = { 'warm-up': 0, 'connect-rate': 100, 'sockets-per-vu': 7, settle: 1 };
  const load = await startProcess(
    process.execPath,
    [
      join(ROOT, 'loadtest/k6/loadtest.ts'),
      'join-leave',
      ...Object.entries({ ...settings, ...pace }).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    { owner: t },
  );
  const { code } = await load.exited;
  // 1: a threshold of speed, which nothing here depends on.
  assert.ok(code === 0 || code === 1, load.output);

  const text = await readFile(join(out, 'result.json'), 'utf8');
  assert.doesNotMatch(text, /secret/i);
  const result = JSON.parse(text) as LoadResult;
  assert.equal(result.mostHearing, 20, load.output);
  assert.ok(result.counts.sends > 10, load.output);
  assert.equal(result.counts.acked, result.counts.sends, load.output);
  assert.ok(result.counts.deliveries >= result.counts.sends, load.output);
  assert.deepEqual(result.errors, {});
  for (const { metric, expression, ok } of result.thresholds) {
    if (expression === 'count==0') assert.ok(ok, `${metric}\n${load.output}`);
  }
  assert.ok(result.thresholds.length > 8);
  assert.match(await readFile(join(out, 'report.html'), 'utf8'), /<svg/);
});

test('a load test names its scenarios', async (t) => {
  const load = await startProcess(process.execPath, [join(ROOT, 'loadtest/k6/loadtest.ts'), 'nonsense'], { owner: t });
  assert.equal((await load.exited).code, 2);
  assert.match(load.output, /rolling-restart/);
});
