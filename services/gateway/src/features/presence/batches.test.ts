import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred, type Deferred } from '@parley/test-support';
import { Batches } from './batches.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Does its work when it is told to. */
function slowly({ most = 500 }: { most?: number } = {}) {
  const works: { keys: string[]; done: Deferred<void> }[] = [];
  const batches = new Batches<string, true>({
    work: (batch) => {
      const done = deferred();
      works.push({ keys: [...batch.keys()], done });
      return done.promise;
    },
    most,
    onError: () => {},
  });
  const add = (key: string): { isOver: boolean } => {
    const state = { isOver: false };
    void batches.add(key, true).then(() => (state.isOver = true));
    return state;
  };
  const finish = async (index: number): Promise<void> => {
    works[index]?.done.resolve();
    await turn();
  };
  return { batches, works, add, finish };
}

test('whoever waits, waits for what was there, and not for those who keep coming', async () => {
  const { works, add, finish } = slowly();
  const first = add('a');
  await turn();
  const second = add('b');
  assert.deepEqual([first.isOver, second.isOver], [false, false]);
  await finish(0);
  assert.deepEqual([first.isOver, second.isOver], [true, false]);
  const third = add('c');
  await finish(1);
  assert.deepEqual([second.isOver, third.isOver], [true, false]);
  await finish(2);
  assert.equal(third.isOver, true);
  assert.deepEqual(
    works.map(({ keys }) => keys),
    [['a'], ['b'], ['c']],
  );
});

test('what is too much for one batch is waited for as well', async () => {
  const { add, finish, works } = slowly({ most: 2 });
  const states = ['a', 'b', 'c'].map(add);
  await turn();
  await finish(0);
  assert.ok(states.every(({ isOver }) => !isOver));
  await finish(1);
  assert.ok(states.every(({ isOver }) => isOver));
  assert.deepEqual(
    works.map(({ keys }) => keys),
    [['a', 'b'], ['c']],
  );
});

test('who asks while nothing waits has what is under way awaited; a stop has all', async () => {
  const { batches, add, finish } = slowly();
  add('a');
  await turn();
  const over = { attempted: false, drained: false };
  void batches.attempted().then(() => (over.attempted = true));
  add('b');
  void batches.drained().then(() => (over.drained = true));
  await finish(0);
  assert.deepEqual(over, { attempted: true, drained: false });
  await finish(1);
  assert.deepEqual(over, { attempted: true, drained: true });
  await batches.drained();
});
