import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Agenda } from './agenda.ts';

/** In steps, since the mocked clock shows the end of a tick to everything that fires within it. */
function pass(t: TestContext, ms: number): void {
  for (let passed = 0; passed < ms; passed += 500) t.mock.timers.tick(500);
}

describe('Agenda', () => {
  test('fires at the second that is not before the appointment', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 10_000 });
    const fired: string[] = [];
    const agenda = new Agenda<string>((item) => fired.push(item));
    agenda.set('soon', 11_200);
    agenda.set('later', 13_000);
    t.mock.timers.tick(1_999);
    assert.deepEqual(fired, []);
    t.mock.timers.tick(1);
    assert.deepEqual(fired, ['soon']);
    t.mock.timers.tick(1_000);
    assert.deepEqual(fired, ['soon', 'later']);
    assert.equal(agenda.size, 0);
  });

  test('fires within its own resolution', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    const fired: string[] = [];
    const agenda = new Agenda<string>((item) => fired.push(item), { resolutionMs: 100 });
    agenda.set('soon', 210);
    t.mock.timers.tick(299);
    assert.deepEqual(fired, []);
    t.mock.timers.tick(1);
    assert.deepEqual(fired, ['soon']);
  });

  test('a moved or deleted appointment does not fire at its old time', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    const fired: [string, number][] = [];
    const agenda = new Agenda<string>((item) => fired.push([item, Date.now()]));
    agenda.set('moved', 1_000);
    agenda.set('gone', 1_000);
    agenda.set('moved', 5_000);
    agenda.delete('gone');
    pass(t, 10_000);
    assert.deepEqual(fired, [['moved', 5_000]]);
  });

  test('an earlier appointment is not held up by a later one that was made first', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    const fired: string[] = [];
    const agenda = new Agenda<string>((item) => fired.push(item));
    agenda.set('late', 60_000);
    agenda.set('early', 1_000);
    t.mock.timers.tick(1_000);
    assert.deepEqual(fired, ['early']);
  });

  test('an item can make a new appointment when it fires', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    const times: number[] = [];
    const agenda = new Agenda<string>((item) => {
      times.push(Date.now());
      if (times.length < 3) agenda.set(item, Date.now() + 2_000);
    });
    agenda.set('again', 1_000);
    pass(t, 20_000);
    assert.deepEqual(times, [1_000, 3_000, 5_000]);
  });

  test('an appointment beyond what a timer can hold fires in its time, not at once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    const fired: string[] = [];
    const agenda = new Agenda<string>((item) => fired.push(item));
    const inSixtyDays = 60 * 86_400_000;
    agenda.set('far', inSixtyDays);
    for (let day = 0; day < 59; day += 1) t.mock.timers.tick(86_400_000);
    assert.deepEqual(fired, []);
    t.mock.timers.tick(86_400_000);
    assert.deepEqual(fired, ['far']);
  });

  test('nothing fires after a stop', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    const fired: string[] = [];
    const agenda = new Agenda<string>((item) => fired.push(item));
    agenda.set('never', 1_000);
    agenda.stop();
    pass(t, 10_000);
    assert.deepEqual(fired, []);
  });
});
