import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { redisPrefix, redisUrl } from '@parley/test-support';
import { readConfig } from '../../config.ts';
import { createLog } from '../../platform/log.ts';
import { Metrics } from '../../platform/metrics.ts';
import { connectRedis, type RedisClients } from '../../platform/redis/clients.ts';
import { createPeers } from '../../platform/peers/peers.ts';
import { redisKeys } from '../../platform/redis/keys.ts';
import { createLimits, type OpenLimits } from './limits.ts';

const log = createLog({ level: 'silent', name: 'limits' });
const opened: { close(): void }[] = [];
after(() => opened.forEach((one) => one.close()));

async function connected(): Promise<RedisClients> {
  const redis = connectRedis(redisUrl(), { name: 'limits', log });
  opened.push(redis);
  if (!redis.isReady()) await new Promise((resolve) => redis.commands.once('ready', resolve));
  return redis;
}

/** The limits of as many gateways. */
async function gateways(count: number, env: Record<string, string>): Promise<OpenLimits[]> {
  const keys = redisKeys(redisPrefix().slice(0, -1));
  const { limits } = readConfig({
    DATABASE_URL: 'postgres://nowhere',
    REDIS_URL: redisUrl(),
    JWT_SECRET: 'x'.repeat(32),
    ...env,
  });
  return Promise.all(
    Array.from({ length: count }, async () => {
      const redis = await connected();
      const peers = createPeers({ redis, keys, log });
      const made = createLimits({ limits, redis, keys, peers, metrics: new Metrics(), log });
      opened.push({ close: () => made.stop() });
      return made;
    }),
  );
}

describe('typing', () => {
  test('counts a user in a room over all gateways', async () => {
    const [here, there] = (await gateways(2, { RATE_TYPING: '2/1h' })) as [OpenLimits, OpenLimits];
    assert.equal(await here.typing('ana', 'room'), true);
    assert.equal(await there.typing('ana', 'room'), true);
    for (const one of [here, there, here]) assert.equal(await one.typing('ana', 'room'), false);
    assert.equal(await here.typing('ana', 'other room'), true);
    assert.equal(await there.typing('ben', 'room'), true);
  });

  test('off', async () => {
    const [here] = (await gateways(1, { RATE_TYPING: 'off' })) as [OpenLimits];
    for (let index = 0; index < 5; index += 1) assert.equal(await here.typing('ana', 'room'), true);
  });
});

test('with the rates of messages off nothing is asked, and nothing is waited for', async () => {
  const [here] = (await gateways(1, { RATE_MESSAGES_ROOM: 'off', RATE_MESSAGES_USER: 'off' })) as [OpenLimits];
  assert.equal(here.message('ana', 'room'), undefined);
});

test('a room that does not come into being gives its place back everywhere, at once', async () => {
  const [here, there] = (await gateways(2, { RATE_ROOM_CREATE: '2/1h' })) as [OpenLimits, OpenLimits];
  const { promise, reject } = Promise.withResolvers<never>();
  const failing = here.makeRoom('ana', () => promise);
  await there.makeRoom('ana', async () => {});
  for (const one of [here, there]) {
    await assert.rejects(
      one.makeRoom('ana', async () => {}),
      { code: 'RATE_LIMITED' },
    );
  }
  reject(new Error('taken'));
  await assert.rejects(failing, /taken/);
  await here.makeRoom('ana', async () => {});
  await assert.rejects(
    here.makeRoom('ana', async () => {}),
    { code: 'RATE_LIMITED' },
  );
});
