import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Forgetful, KnownWindow, Sweeper } from './local-windows.ts';
import { localWindow } from './local-window.ts';
import { COMPACT_PARTS, EXACT_MAX } from './windows.lua.ts';

/** Pauses between attempts, ms, and a rate. */
const histories = (limit: fc.Arbitrary<number>) =>
  fc.record({
    limit,
    windowMs: fc.integer({ min: 1, max: 2_000 }),
    pauses: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 700 })), { maxLength: 600 }),
  });

describe('an exact window', () => {
  test('lets pass what the definition lets pass, and says exactly when there is a place', () => {
    fc.assert(
      fc.property(histories(fc.integer({ min: 1, max: 20 })), ({ limit, windowMs, pauses }) => {
        const window = localWindow({ limit, windowMs });
        const passed: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const inside = passed.filter((at) => at > now - windowMs);
          const wait = window.wait(now);
          assert.equal(wait, inside.length < limit ? 0 : (inside[inside.length - limit] as number) + windowMs - now);
          if (wait > 0) continue;
          window.take(now);
          passed.push(now);
        }
      }),
    );
  });

  test('a place that is given back is free at once, of events that came out of order too', () => {
    const window = localWindow({ limit: 2, windowMs: 100 });
    for (const at of [20, 10]) window.take(at);
    assert.equal(window.wait(30), 80);
    window.giveBack(10);
    assert.equal(window.wait(30), 0);
    window.take(30);
    assert.equal(window.wait(30), 90);
  });
});

describe('a compact window', () => {
  test('never lets more than the limit pass in any window, and is at most a sixteenth of it late', () => {
    fc.assert(
      fc.property(
        histories(fc.constant(EXACT_MAX + 1)),
        fc.integer({ min: 1, max: 40 }),
        ({ limit, windowMs, pauses }, burst) => {
          const window = localWindow({ limit, windowMs });
          const step = Math.ceil(windowMs / COMPACT_PARTS);
          const passed: number[] = [];
          let now = 0;
          for (const pause of pauses) {
            now += pause;
            for (let index = 0; index < burst; index += 1) {
              const inside = passed.filter((at) => at > now - windowMs).length;
              const wait = window.wait(now);
              if (wait > 0) {
                const lately = passed.filter((at) => at > now - windowMs - step).length;
                assert.ok(lately >= limit, 'it refuses although there was room a sixteenth ago');
                assert.ok(window.wait(now + wait - 1) > 0, 'there is a place before it said');
                assert.equal(window.wait(now + wait), 0, 'there is none when it said');
                break;
              }
              assert.ok(inside < limit, 'more pass than the limit');
              window.take(now);
              passed.push(now);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('gives places back', () => {
    const window = localWindow({ limit: 101, windowMs: 1_600 });
    for (let index = 0; index < 101; index += 1) window.take(500);
    assert.ok(window.wait(500) > 0);
    window.giveBack(500);
    assert.equal(window.wait(500), 0);
    assert.ok(!window.isEmpty(2_000));
    assert.ok(window.isEmpty(2_200));
  });
});

describe('what a gateway knows of a window', () => {
  test('it repeats a refusal of Redis for a second, and tells the rest of the wait all the time', () => {
    const window = new KnownWindow({ limit: 5, windowMs: 60_000 });
    window.block(1_000, 30_000, 1_003);
    assert.equal(window.wait(1_500), 500);
    assert.equal(window.retryAfter(1_500), 29_500 + 3);
    assert.equal(window.wait(2_000), 0);
    assert.ok(window.isIdle(2_000));
  });

  test('a place that is given back ends the refusal', () => {
    const window = new KnownWindow({ limit: 5, windowMs: 60_000 });
    window.take(900, 901);
    window.block(1_000, 30_000, 1_003);
    window.giveBack(900);
    assert.equal(window.wait(1_001), 0);
  });
});

test('what is idle is forgotten', () => {
  const sweeper = new Sweeper(() => 0);
  const known = new Forgetful(() => new KnownWindow({ limit: 2, windowMs: 100 }), sweeper);
  for (let index = 0; index < 1_000; index += 1) known.of(`user${index}`).take(index);
  known.of('blocked').block(0, 5_000, 1);
  known.sweep(599);
  assert.equal(known.size, 501);
  known.sweep(1_099);
  assert.equal(known.size, 0);
  sweeper.stop();
});
