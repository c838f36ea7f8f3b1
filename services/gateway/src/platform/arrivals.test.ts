import { deferred } from '@parley/test-support';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Arrivals } from './arrivals.ts';
import { ChatError } from './errors.ts';

const here = (): boolean => true;
const isUnavailable = (error: unknown): boolean => error instanceof ChatError && error.code === 'UNAVAILABLE';

describe('Arrivals', () => {
  test('a crowd takes turns', async () => {
    const arrivals = new Arrivals({ atOnce: 1 });
    const first = deferred();
    const order: string[] = [];
    const works = [
      arrivals.inTurn(here, () => first.promise.then(() => order.push('first'))),
      arrivals.inTurn(here, async () => order.push('second')),
    ];
    assert.deepEqual(order, []);
    first.resolve();
    await Promise.all(works);
    assert.deepEqual(order, ['first', 'second']);
  });

  test('nothing is done for who has left before the turn', async () => {
    const arrivals = new Arrivals({ atOnce: 1 });
    const first = deferred();
    let isHere = true;
    const works = [
      arrivals.inTurn(here, () => first.promise),
      arrivals.inTurn(
        () => isHere,
        () => assert.fail('nobody asked'),
      ),
    ];
    isHere = false;
    first.resolve();
    await works[0];
    await assert.rejects(works[1] ?? Promise.resolve(), isUnavailable);
  });

  test('who has waited for too long is refused, and may come again', async () => {
    const arrivals = new Arrivals({ atOnce: 1, patienceMs: -1 });
    await assert.rejects(
      arrivals.inTurn(here, () => assert.fail('too late')),
      isUnavailable,
    );
    await assert.rejects(
      arrivals.inTurn(here, () => assert.fail('too late')),
      isUnavailable,
    );
  });

  test('what the work throws stays what it is', async () => {
    const arrivals = new Arrivals();
    const failing = arrivals.inTurn(here, () => Promise.reject(new ChatError('FORBIDDEN')));
    await assert.rejects(failing, (error) => error instanceof ChatError && error.code === 'FORBIDDEN');
  });
});
