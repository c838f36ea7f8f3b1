import { deferred } from '@parley/test-support';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Slots, SlotsFullError } from './slots.ts';

describe('Slots', () => {
  test('so many at once, the others in their order, and no more than may wait', async () => {
    const slots = new Slots({ atOnce: 2, waiting: 2 });
    const log: string[] = [];
    const works = ['a', 'b', 'c', 'd'].map((name) => ({ name, ...deferred() }));
    const runs = works.map(({ name, promise }) =>
      slots.run(async () => {
        log.push(`${name} begins`);
        await promise;
        return name;
      }),
    );
    assert.deepEqual(log, ['a begins', 'b begins']);
    assert.equal(slots.waiting, 2);
    await assert.rejects(
      slots.run(async () => log.push('e begins')),
      SlotsFullError,
    );
    for (const { resolve } of works) resolve();
    assert.deepEqual(await Promise.all(runs), ['a', 'b', 'c', 'd']);
    assert.deepEqual(log, ['a begins', 'b begins', 'c begins', 'd begins']);
    assert.equal(await slots.run(async () => 'f'), 'f');
  });

  test('a failure gives its slot back', async () => {
    const slots = new Slots({ atOnce: 1, waiting: 1 });
    const failing = slots.run(() => Promise.reject(new Error('no')));
    const next = slots.run(async () => 'next');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'next');
    assert.equal(await slots.run(async () => 'again'), 'again');
  });
});
