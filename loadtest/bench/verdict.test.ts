import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepTotals } from './totals.ts';
import { judge, limitOf } from './verdict.ts';

const times = { count: 100, mean: 5, p50: 5, p95: 8, p99: 9, max: 10 };
const good: StepTotals = {
  sent: 10,
  acked: 10,
  unanswered: 0,
  errors: {},
  deliveries: 100,
  deliveriesInTime: 100,
  expected: 100,
  missing: 0,
  reordered: 0,
  repeats: 0,
  resyncs: 0,
  closed: {},
  latency: times,
  ack: times,
  lateness: times,
  utilization: 0.5,
  loopDelayMs: 1,
  cpuSeconds: 0.5,
  seconds: 1,
};

function judged(totals: Partial<StepTotals>, kind: 'parley' | 'plain' = 'parley', reached = 100) {
  return judge({ totals: { ...good, ...totals }, wanted: 100, reached, bound: 50, kind, limit: 'none' });
}

test('passes what is complete and in time', () => {
  assert.deepEqual(judged({}), { passed: true, reasons: [], isBroken: false, limit: 'none' });
});

for (const [what, totals] of Object.entries({
  'something missing': { missing: 1 },
  'a repeat': { repeats: 1 },
  'a wrong order': { reordered: 1 },
  'a refused send': { errors: { UNAVAILABLE: 1 } },
  'a lost connection': { closed: { ECONNRESET: 1 } },
  'a cut stream': { resyncs: 1 },
  'an unanswered send': { unanswered: 1 },
  'a late 99th percentile': { latency: { ...times, p99: 50 } },
  silence: { latency: { ...times, count: 0 } },
} satisfies Record<string, Partial<StepTotals>>)) {
  test(`does not pass ${what}`, () => assert.equal(judged(totals).passed, false));
}

test('does not pass a backlog', () => assert.equal(judged({}, 'parley', 90).passed, false));

test('asks for order only where it is promised', () => {
  assert.equal(judged({ reordered: 5, repeats: 1 }, 'plain').passed, true);
  assert.equal(judged({ missing: 1 }, 'plain').passed, false);
});

test('tells a broken promise from a slow cluster', () => {
  assert.equal(judged({ reordered: 1 }).isBroken, true);
  assert.equal(judged({ latency: { ...times, p99: 500 } }).isBroken, false);
  assert.equal(judged({ missing: 3, resyncs: 1 }).isBroken, false, 'the server said so');
});

test('says what had no more to give', () => {
  const idle = { gateways: 0, haproxy: 0, redis: 0, postgres: 0, machine: 0.1 };
  const limit = (cpuSeconds: number, machine = 0.1, generators = 1) =>
    limitOf({ totals: { ...good, cpuSeconds }, cpu: { ...idle, machine }, wallSeconds: 1, generators });
  assert.equal(limit(0.5), 'none');
  assert.equal(limit(0.95), 'generator');
  assert.equal(limit(0.95, 0.1, 2), 'none');
  assert.equal(limit(0.5, 1_000), 'machine');
});
