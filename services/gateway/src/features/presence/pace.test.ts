import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pace } from './pace.ts';

/** A pace at which so many sockets were wanted in each of some quarters of a second. */
function after(...quarters: number[]): Pace {
  let now = 0;
  const pace = new Pace(() => now);
  for (const sockets of quarters) {
    pace.count(sockets);
    now += 250;
  }
  return pace;
}

describe('Pace', () => {
  test('is busy while a crowd comes, and not before or after', () => {
    assert.equal(new Pace().isBusy, false);
    assert.equal(after(250).isBusy, false);
    assert.equal(after(251).isBusy, true);
    assert.equal(after(10_000, 0).isBusy, false);
  });

  test('a burst after a long rest does not make it busy at once', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 60_000;
    pace.count(10_000);
    assert.equal(pace.isBusy, false);
    now += 250;
    assert.equal(pace.isBusy, true);
  });

  test('all that waits runs in one moment, once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const pace = new Pace(() => 0);
    const ran: string[] = [];
    const [one, two] = [() => ran.push('one'), () => ran.push('two')];
    pace.next(one);
    t.mock.timers.tick(150);
    pace.next(two);
    pace.next(one);
    t.mock.timers.tick(49);
    assert.deepEqual(ran, []);
    t.mock.timers.tick(1);
    assert.deepEqual(ran, ['one', 'two']);
    t.mock.timers.tick(1_000);
    assert.equal(ran.length, 2);
  });

  test('while busy more is gathered; what asks again while it runs waits for the next time', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    const pace = new Pace(() => now);
    pace.count(1_000);
    now = 250;
    let runs = 0;
    const again = (): void => {
      runs += 1;
      if (runs === 1) pace.next(again);
    };
    pace.next(again);
    t.mock.timers.tick(499);
    assert.equal(runs, 0);
    t.mock.timers.tick(1);
    assert.equal(runs, 1);
    t.mock.timers.tick(500);
    assert.equal(runs, 2);
  });

  test('nothing runs after its stop', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const pace = new Pace();
    pace.next(() => assert.fail('it runs'));
    pace.stop();
    t.mock.timers.tick(1_000);
  });
});
