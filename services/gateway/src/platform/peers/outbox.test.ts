import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Outbox } from './outbox.ts';

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const published: string[][] = [];
  const outbox = new Outbox<string>((lines) => published.push([...lines]));
  return { outbox, published, pass: (ms: number) => t.mock.timers.tick(ms) };
}

describe('Outbox', () => {
  test('the first goes at once, what follows goes together', (t) => {
    const { outbox, published, pass } = open(t);
    for (const line of ['a', 'b', 'c']) outbox.add(line);
    assert.deepEqual(published, [['a']]);
    pass(19);
    assert.deepEqual(published, [['a']]);
    pass(1);
    assert.deepEqual(published, [['a'], ['b', 'c']]);
  });

  test('after a window in which nothing came the next one goes at once', (t) => {
    const { outbox, published, pass } = open(t);
    outbox.add('a');
    pass(20);
    outbox.add('b');
    assert.deepEqual(published, [['a'], ['b']]);
  });

  test('a flush waits for nothing and leaves nothing behind', (t) => {
    const { outbox, published, pass } = open(t);
    for (const line of ['a', 'b']) outbox.add(line);
    outbox.flush();
    assert.deepEqual(published, [['a'], ['b']]);
    outbox.add('c');
    pass(20);
    assert.deepEqual(published, [['a'], ['b'], ['c']]);
    outbox.flush();
    assert.equal(published.length, 3);
  });
});
