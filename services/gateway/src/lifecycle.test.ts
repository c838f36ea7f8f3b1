import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { Lifecycle } from './lifecycle.ts';

const quiet = pino({ level: 'silent' });

describe('Lifecycle', () => {
  test('closes last in, first out', async () => {
    const closed: string[] = [];
    const lifecycle = new Lifecycle(quiet);
    for (const name of ['database', 'redis', 'http']) lifecycle.onStop(name, () => closed.push(name));
    lifecycle.ready();
    await lifecycle.stop(1_000);
    assert.deepEqual(closed, ['http', 'redis', 'database']);
    assert.equal(lifecycle.phase, 'stopped');
  });

  test('everybody who stops waits for the same stop', async () => {
    let closed = 0;
    const gate = Promise.withResolvers<void>();
    const lifecycle = new Lifecycle(quiet);
    lifecycle.onStop('once', async () => {
      await gate.promise;
      closed += 1;
    });
    const stops = [lifecycle.stop(1_000), lifecycle.stop(1_000)];
    assert.equal(lifecycle.phase, 'draining');
    gate.resolve();
    await Promise.all(stops);
    await lifecycle.stop(1_000);
    assert.equal(closed, 1);
  });

  test('a closer that throws or hangs does not keep the others', async () => {
    const closed: string[] = [];
    const lifecycle = new Lifecycle(quiet);
    lifecycle.onStop('first', () => closed.push('first'));
    lifecycle.onStop('hangs', () => new Promise(() => {}));
    lifecycle.onStop('throws', () => {
      throw new Error('broken');
    });
    await lifecycle.stop(10);
    assert.deepEqual(closed, ['first']);
  });

  test('a stop before the start was done leaves nothing ready', async () => {
    const lifecycle = new Lifecycle(quiet);
    await lifecycle.stop(10);
    lifecycle.ready();
    assert.equal(lifecycle.phase, 'stopped');
  });
});
