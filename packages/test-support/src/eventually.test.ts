import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred, within } from './deferred.ts';
import { eventually } from './eventually.ts';

test('eventually gives the value of the first check that passes', async () => {
  let calls = 0;
  const value = await eventually(
    async () => {
      calls++;
      if (calls < 3) throw new Error('not yet');
      return `after ${calls}`;
    },
    { everyMs: 1 },
  );
  assert.equal(value, 'after 3');
});

test('eventually gives up with the last error', async () => {
  const last = new Error('the last one');
  await assert.rejects(
    eventually(() => Promise.reject(last), { timeoutMs: 5, everyMs: 1, message: 'waiting for nothing' }),
    (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.message, 'waiting for nothing: still failing after 5 ms: the last one');
      assert.equal(error.cause, last);
      return true;
    },
  );
});

test('within passes on what comes in time, value or error, and else says what did not come', async () => {
  assert.equal(await within(Promise.resolve(1), 'one'), 1);
  await assert.rejects(within(Promise.reject(new Error('own')), 'one'), /^Error: own$/);
  await assert.rejects(within(deferred().promise, 'the moon', 1), /the moon did not come within 1 ms/);
});
