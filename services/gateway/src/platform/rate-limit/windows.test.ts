import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { redisPrefix, redisUrl } from '@parley/test-support';
import { Redis } from 'ioredis';
import { COUNT, EXACT_MAX, GIVE_BACK, TAKE } from './windows.lua.ts';

// The scripts on a real Redis. That a window slides exactly is tested on the local ones, whose clock can be moved.

const redis = new Redis(redisUrl());
after(() => redis.disconnect());
const newKey = (): string => `${redisPrefix()}{${randomUUID()}}:rate`;

const HOUR = 3_600_000;
const take = (key: string, limit: number, windowMs: number) =>
  redis.eval(TAKE, 1, key, limit, windowMs) as Promise<[0 | 1, number]>;
const giveBack = (key: string, limit: number, windowMs: number, time: number) =>
  redis.eval(GIVE_BACK, 1, key, limit, windowMs, time);
const count = (key: string, limit: number, windowMs: number, events: number) =>
  redis.eval(COUNT, 1, key, limit, windowMs, events) as Promise<number>;

for (const [kind, limit] of [
  ['exact', 5],
  ['exact', EXACT_MAX],
  ['compact', EXACT_MAX + 1],
  ['compact', 1_000],
] as const) {
  describe(`${kind === 'exact' ? 'an' : 'a'} ${kind} window of ${limit}`, () => {
    test('lets so many pass, then tells the wait; who is refused takes no place', async () => {
      const key = newKey();
      for (let index = 0; index < limit; index += 1) assert.equal((await take(key, limit, HOUR))[0], 1);
      for (let index = 0; index < 3; index += 1) {
        const [passed, wait] = await take(key, limit, HOUR);
        assert.equal(passed, 0);
        assert.ok(wait > HOUR - 60_000 && wait <= HOUR + HOUR / 16, `it shall wait ${wait} ms`);
      }
      const ttl = await redis.pttl(key);
      assert.ok(ttl > HOUR - 60_000 && ttl <= HOUR + HOUR / 16, `its TTL is ${ttl} ms`);
    });

    test('has a place again after the wait that it told, and not before its events have left it', async () => {
      const windowMs = 2_000;
      const [key, other] = [newKey(), newKey()];
      const [, filledAt] = await take(key, limit, windowMs);
      await Promise.all([count(key, limit, windowMs, limit - 1), count(other, limit, windowMs, limit)]);
      const [passed, wait] = await take(other, limit, windowMs);
      assert.equal(passed, 0);
      const isFreeThen = delay(wait + 1).then(() => take(other, limit, windowMs)); // Node's timers may be a ms early
      for (let answer = await take(key, limit, windowMs); ; answer = await take(key, limit, windowMs)) {
        if (answer[0] === 1) {
          assert.ok(answer[1] >= filledAt + windowMs, `free after ${answer[1] - filledAt} ms`);
          break;
        }
        await delay(10);
      }
      assert.equal((await isFreeThen)[0], 1);
    });

    test('a place that is given back can be taken', async () => {
      const key = newKey();
      await count(key, limit, HOUR, limit - 1);
      const [, time] = await take(key, limit, HOUR);
      assert.equal((await take(key, limit, HOUR))[0], 0);
      await giveBack(key, limit, HOUR, time);
      assert.equal((await take(key, limit, HOUR))[0], 1);
      assert.equal((await take(key, limit, HOUR))[0], 0);
    });

    test('counts more at once than fit', async () => {
      const key = newKey();
      assert.equal(await count(key, limit, HOUR, limit - 1), 0);
      assert.ok((await count(key, limit, HOUR, limit * 3)) > HOUR - 60_000);
      assert.equal((await take(key, limit, HOUR))[0], 0);
    });
  });
}

test('memory of a full window', async (t) => {
  const sizes: Record<number, number> = {};
  for (const limit of [10, 20, 100, 101, 1_000]) {
    const key = newKey();
    const windowMs = 1_600;
    // Spread over the window, so that a compact one has all its parts.
    for (let part = 0; part < 17; part += 1) {
      await count(key, limit, windowMs, Math.ceil(limit / 17));
      if (limit > EXACT_MAX) await delay(100);
    }
    const bytes = (await redis.memory('USAGE', key)) ?? 0;
    sizes[limit] = bytes - Buffer.byteLength(key);
    t.diagnostic(`${limit} events: ${bytes} bytes, ${sizes[limit]} without the name of the key`);
  }
  assert.ok((sizes[100] as number) < 2_048, 'an exact window is large');
  assert.ok((sizes[1_000] as number) < 1_024, 'a compact window is large');
});
