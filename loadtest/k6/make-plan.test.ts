import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultAtMs, makePlan } from './make-plan.ts';
import { readOptions } from './options.ts';
import { SCENARIOS } from './plan.ts';

const cluster = { urls: ['http://127.0.0.1:1'], jwtSecret: 'x', ownFault: false };

function planOf(...args: string[]) {
  return makePlan(readOptions(args, {}), cluster, { summary: '/tmp/summary.json', now: 1_000 });
}

test('shards take all clients, each once', () => {
  for (const [clients, shards] of [
    [1_000, 3],
    [7, 4],
    [10_000, 1],
  ] as const) {
    const parts = Array.from({ length: shards }, (_, index) =>
      planOf('steady-chat', '--clients', String(clients), '--shard', `${index + 1}/${shards}`),
    );
    assert.equal(parts[0]?.from, 0);
    assert.equal(parts.at(-1)?.to, clients);
    for (const [index, { from }] of parts.entries()) if (index > 0) assert.equal(from, parts[index - 1]?.to);
  }
});

test('shards that are told so begin together, and connect at the rate of the run', () => {
  const [one, two] = ['1/2', '2/2'].map((shard) =>
    planOf('connect-storm', '--shard', shard, '--at', '2000000000', '--run', 'r', '--connect-rate', '100'),
  );
  assert.equal(one?.startAt, 2_000_000_000_000);
  assert.equal(two?.startAt, one?.startAt);
  assert.equal(two?.run, 'r');
  assert.equal(one?.connectRate, 50);
  assert.equal(one?.loadAtMs, two?.loadAtMs);
});

for (const scenario of SCENARIOS) {
  test(`${scenario} is in order: connect, load, measure, stop, end`, () => {
    const plan = planOf(scenario, '--clients', '300', '--duration', '10');
    const { loadAtMs, measureAtMs, stopAtMs, endAtMs, rooms, thresholds } = plan;
    assert.deepEqual(
      [loadAtMs, measureAtMs, stopAtMs, endAtMs].toSorted((a, b) => a - b),
      [loadAtMs, measureAtMs, stopAtMs, endAtMs],
    );
    assert.ok(faultAtMs(plan) > measureAtMs && faultAtMs(plan) < stopAtMs);
    assert.ok(rooms >= 1);
    for (const promise of ['gaps', 'repeats', 'reordered', 'crosstalk', 'unanswered', 'errors']) {
      assert.deepEqual(thresholds[promise], ['count==0']);
    }
  });
}

test('clients of a herd drop their sockets only where no gateway is killed', () => {
  assert.ok(planOf('reconnect-herd').cutAtMs !== undefined);
  const options = readOptions(['reconnect-herd'], {});
  const own = makePlan(options, { ...cluster, ownFault: true }, { summary: '', now: 0 });
  assert.equal(own.cutAtMs, undefined);
});

test('who has many rooms connects more slowly, unless told otherwise', () => {
  assert.equal(planOf('steady-chat').connectRate, 400);
  assert.equal(planOf('many-rooms').connectRate, 40);
  assert.equal(planOf('many-rooms', '--connect-rate', '90').connectRate, 90);
});

test('few deliveries all go into the trend of k6, many only in part', () => {
  assert.equal(planOf('steady-chat', '--clients', '100').sample, 1);
  const { sample } = planOf('steady-chat', '--clients', '10000', '--rate', '800');
  assert.equal(sample, 80);
});

test('refuses what makes no sense, in one line', () => {
  const problems: [string[], RegExp][] = [
    [[], /Name one of the scenarios/],
    [['chat'], /Name one of the scenarios/],
    [['fanout', '--clients', '0'], /--clients/],
    [['fanout', '--rate', 'fast'], /--rate/],
    [['fanout', '--shard', '3/2'], /--shard/],
    [['fanout', '--url', 'somewhere'], /--url/],
    [['fanout', '--url', 'http://127.0.0.1:1'], /JWT_SECRET/],
  ];
  for (const [args, message] of problems) assert.throws(() => readOptions(args, {}), message);
});
