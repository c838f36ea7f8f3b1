import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMachine } from '../measure/machine.ts';
import { renderPage, renderSummary } from './report.ts';
import { mergeResults, readThresholds, Series, totalsOf, type LoadResult } from './result.ts';
import { WindowCollector, type Window } from './window.ts';

function window(vu: number, second: number, hearing: number, deliveries: readonly number[]): Window {
  const collector = new WindowCollector();
  collector.count('deliveries', deliveries.length);
  for (const ms of deliveries) collector.time('delivery', ms);
  return collector.take({ vu, second, hearing });
}

function resultOf(windows: readonly Window[], more: Partial<LoadResult> = {}): LoadResult {
  const series = new Series();
  for (const each of windows) series.add(JSON.parse(JSON.stringify(each)) as Window);
  return {
    scenario: 'steady-chat',
    at: '2026-01-01T00:00:00.000Z',
    machine: describeMachine(),
    k6: '1.8.1',
    options: {},
    ...totalsOf(series.seconds()),
    thresholds: [{ metric: 'gaps', expression: 'count==0', ok: true }],
    faults: [],
    passed: true,
    series: series.seconds(),
    ...more,
  };
}

test('a window holds what came since the one before', () => {
  const collector = new WindowCollector();
  collector.count('gaps', 2);
  collector.error('MUTED');
  collector.time('ack', 3);
  const first = collector.take({ vu: 1, second: 4, hearing: 5 });
  assert.deepEqual(first, {
    vu: 1,
    second: 4,
    hearing: 5,
    counts: { gaps: 2 },
    errors: { MUTED: 1 },
    times: { ack: first.times.ack },
  });
  assert.equal(first.times.ack?.[0]?.[1], 1);
  assert.deepEqual(collector.take({ vu: 1, second: 5, hearing: 5 }), {
    vu: 1,
    second: 5,
    hearing: 5,
    counts: {},
    errors: {},
    times: {},
  });
});

test('adds up all users by the second, whatever their order', () => {
  const { series, counts, times, mostHearing } = resultOf([
    window(1, 2, 10, [5, 5]),
    window(2, 1, 7, [1]),
    window(1, 1, 9, [1, 1]),
    window(2, 2, 8, [50]),
  ]);
  assert.deepEqual(
    series.map(({ second, hearing, counts: { deliveries } }) => [second, hearing, deliveries]),
    [
      [1, 16, 3],
      [2, 18, 3],
    ],
  );
  assert.equal(counts.deliveries, 6);
  assert.equal(counts.gaps, 0);
  assert.equal(mostHearing, 18);
  assert.equal(times.delivery.count, 6);
  assert.ok(times.delivery.max >= 50 && times.delivery.max < 51);
});

test('takes a user that is silent for a second to be as before', () => {
  const { series } = resultOf([window(1, 1, 9, []), window(2, 1, 5, []), window(1, 2, 9, []), window(2, 3, 0, [])]);
  assert.deepEqual(
    series.map(({ hearing }) => hearing),
    [14, 14, 9],
  );
});

test('merges shards to what one process would have seen', () => {
  const [first, second] = [
    [window(1, 1, 9, [1, 2]), window(1, 2, 9, [3])],
    [window(2, 2, 4, [40]), window(2, 3, 4, [5])],
  ] as const;
  const merged = mergeResults([resultOf(first), resultOf(second)]);
  const { counts, times } = resultOf([...first, ...second]);
  assert.deepEqual({ counts: merged.counts, times: merged.times }, { counts, times });
  assert.equal(merged.mostHearing, 13);
});

test('shards pass together or not at all', () => {
  const crossed = [{ metric: 'gaps', expression: 'count==0', ok: false }];
  const merged = mergeResults([
    resultOf([window(1, 1, 1, [])]),
    resultOf([window(1, 1, 1, [])], { passed: false, thresholds: crossed }),
  ]);
  assert.equal(merged.passed, false);
  assert.deepEqual(merged.thresholds, crossed);
  assert.throws(() => mergeResults([resultOf([]), resultOf([], { scenario: 'history' })]), /different scenarios/);
});

test("reads the thresholds in k6's summary", () => {
  const summary = {
    metrics: {
      vus: { values: {} },
      gaps: { thresholds: { 'count==0': { ok: true } } },
      ack_time: { thresholds: { 'p(99)<100': { ok: false } } },
    },
  };
  assert.deepEqual(readThresholds(summary), [
    { metric: 'gaps', expression: 'count==0', ok: true },
    { metric: 'ack_time', expression: 'p(99)<100', ok: false },
  ]);
});

test('the report is a page by itself, in which text stays text', () => {
  const result = resultOf([window(1, 1, 3, [5]), window(1, 2, 3, [50])], {
    errors: { '<script>': 1 },
    faults: [{ second: 1.5, what: 'gateway1 & all' }],
    passed: false,
  });
  const page = renderPage(result);
  assert.match(page, /<svg [\s\S]*<path d="M/);
  assert.match(page, /gateway1 &amp; all/);
  assert.doesNotMatch(page, /<script|https?:\/\/|NaN|undefined|Infinity/);
  assert.match(renderSummary(result), /error <script> +\| +1/);
});

test('says when k6 was too slow to measure', () => {
  const collector = new WindowCollector();
  for (const ms of [1, 1, 60]) collector.time('lag', ms);
  const behind = resultOf([collector.take({ vu: 1, second: 1, hearing: 1 })]);
  assert.match(renderSummary(behind), /k6 was behind/);
  assert.match(renderPage(behind), /k6 was behind/);
  assert.doesNotMatch(renderSummary(resultOf([window(1, 1, 1, [60])])), /k6 was behind/);
});
