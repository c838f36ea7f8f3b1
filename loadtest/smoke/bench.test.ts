import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProcess } from '@parley/test-support';
import type { BenchResult } from '../bench/report.ts';

const BENCH = join(import.meta.dirname, '../bench/bench.ts');

test('the benchmark connects, measures and checks a whole cluster', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-smoke-'));
  t.after(() => rm(folder, { recursive: true }));
  const out = join(folder, 'result.json');
  // One step of one rate; how fast it goes is not asserted.
  const settings = { clients: 20, rooms: 2, seconds: 0.5, quiet: 200, start: 200, limit: 200, p99: 100_000 };
  const args = Object.entries({ ...settings, idle: 0.1, patience: 0, replicas: 1, edges: 2, only: 'parley', out });
  const bench = await startProcess(
    process.execPath,
    [BENCH, ...args.flatMap(([name, value]) => [`--${name}`, String(value)])],
    { owner: t, cwd: folder },
  );
  assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.output);
  assert.match(bench.output, /\| parley +\|/);

  const { targets } = JSON.parse(await readFile(out, 'utf8')) as BenchResult;
  const [{ connecting, rates = assert.fail('no step') } = assert.fail('nothing was measured')] = targets;
  const { quiet, best } = rates;
  assert.equal(connecting.opened.hearing, 20);
  for (const { totals, cpu } of [quiet, best ?? assert.fail(bench.output)]) {
    assert.equal(totals.sent, 10);
    assert.deepEqual(
      [totals.deliveries, totals.missing, totals.reordered, totals.repeats],
      [totals.acked * 10, 0, 0, 0],
    );
    assert.ok(cpu.gateways >= 0 && cpu.postgres >= 0);
  }
});

test('the benchmark connects at a rate, new users and the same again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-smoke-'));
  t.after(() => rm(folder, { recursive: true }));
  const out = join(folder, 'result.json');
  const settings = { clients: 20, rooms: 2, 'connect-rate': 100, 'warm-clients': 5, generators: 2 };
  const args = Object.entries({ ...settings, idle: 0.1, replicas: 1, edges: 1, only: 'parley', out });
  const bench = await startProcess(
    process.execPath,
    [BENCH, '--no-steps', ...args.flatMap(([name, value]) => [`--${name}`, String(value)])],
    { owner: t, cwd: folder },
  );
  assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.output);
  assert.match(bench.output, /\| parley, the same again +\| +20 \| +0 \|/);

  const { targets } = JSON.parse(await readFile(out, 'utf8')) as BenchResult;
  const [{ connecting } = assert.fail('nothing was measured')] = targets;
  for (const { opened } of [connecting, connecting.again ?? assert.fail(bench.output)]) {
    assert.deepEqual([opened.hearing, opened.handshake.count, opened.lateness.count], [20, 20, 20]);
    assert.deepEqual(opened.failures, {});
  }
});

test('the benchmark kills a gateway, and its clients come back to whole streams', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-smoke-'));
  t.after(() => rm(folder, { recursive: true }));
  const out = join(folder, 'result.json');
  const settings = { clients: 20, rooms: 2, herd: 200, 'herd-seconds': 2, generators: 2, replicas: 2, edges: 1 };
  const args = Object.entries({ ...settings, idle: 0.1, only: 'parley', out });
  const bench = await startProcess(
    process.execPath,
    [BENCH, '--no-steps', ...args.flatMap(([name, value]) => [`--${name}`, String(value)])],
    { owner: t, cwd: folder },
  );
  assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.output);

  const { targets } = JSON.parse(await readFile(out, 'utf8')) as BenchResult;
  const { before, totals } = targets[0]?.herd ?? assert.fail(bench.output);
  assert.ok(totals.lost > 0 && totals.lost < 20, `${totals.lost}`);
  assert.deepEqual([totals.absent, totals.missing, totals.repeats, totals.reordered], [0, 0, 0, 0], bench.output);
  assert.deepEqual([totals.othersLost, totals.errors], [{}, {}]);
  assert.equal(before.deliveries, before.expected);
  assert.ok(totals.sent > 0 && totals.deliveries > 0);
});

test('the benchmark refuses what makes no sense', async (t) => {
  const bench = await startProcess(process.execPath, [BENCH, '--clients', '5', '--rooms', '6'], { owner: t });
  assert.equal((await bench.exited).code, 2);
  assert.match(bench.output, /every room needs a client/);
});
