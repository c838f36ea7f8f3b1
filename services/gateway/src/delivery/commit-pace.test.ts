import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commitPace } from './commit-pace.ts';

/** A clock that stands until it is moved, and what waits for it. */
function paceOf(apartMs: () => number) {
  const clock = { now: 1_000 };
  const waits: number[] = [];
  const defer = commitPace({
    apartMs,
    now: () => clock.now,
    after: (ms, run) => {
      waits.push(ms);
      clock.now += ms;
      run();
    },
  });
  return { clock, waits, begin: () => defer(() => {}) };
}

describe('commitPace', () => {
  test('a calm gateway never waits', () => {
    const { waits, begin } = paceOf(() => 0);
    begin();
    begin();
    assert.deepEqual(waits, [0, 0]);
  });

  test('batches of a busy one begin apart; the first one, and one after a pause, at once', () => {
    const { clock, waits, begin } = paceOf(() => 15);
    begin();
    clock.now += 5; // the commit
    begin();
    clock.now += 100;
    begin();
    assert.deepEqual(waits, [0, 10, 0]);
  });

  test('it follows the load', () => {
    let apartMs = 15;
    const { waits, begin } = paceOf(() => apartMs);
    begin();
    apartMs = 4;
    begin();
    apartMs = 0;
    begin();
    assert.deepEqual(waits, [0, 4, 0]);
  });
});
