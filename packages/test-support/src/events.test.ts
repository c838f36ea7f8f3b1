import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { collect, nextEvent } from './events.ts';

test('a recorder misses nothing between two waits', async () => {
  const emitter = new EventEmitter();
  const recorder = collect<number>(emitter, 'number');
  emitter.emit('number', 1);
  emitter.emit('number', 2);
  assert.equal(await recorder.find((item) => item === 1), 1);
  const three = recorder.count(3);
  emitter.emit('number', 3);
  assert.deepEqual(await three, [1, 2, 3]);
  recorder.stop();
  emitter.emit('number', 4);
  assert.deepEqual(recorder.items, [1, 2, 3]);
  await assert.rejects(recorder.count(4, 1), /waiting for 4 times number.*3 came/);
  await assert.rejects(
    recorder.find((item) => item === 4, 1),
    /waiting for a certain number.*none of them passed/,
  );
});

test('nextEvent hears the next one only, and leaves no listener', async () => {
  const emitter = new EventEmitter();
  emitter.emit('tick', 'past');
  const next = nextEvent<string>(emitter, 'tick');
  emitter.emit('tick', 'now');
  emitter.emit('tick', 'later');
  assert.equal(await next, 'now');
  await assert.rejects(nextEvent(emitter, 'tick', 1), /the event tick did not come/);
  assert.equal(emitter.listenerCount('tick'), 0);
});
