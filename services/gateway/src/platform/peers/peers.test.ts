import { deferred, eventually, redisPrefix, redisUrl } from '@parley/test-support';
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { connectRedis } from '../redis/clients.ts';
import { redisKeys } from '../redis/keys.ts';
import { createPeers, peerTopic, type ConnectedPeers } from './peers.ts';
import { DEAD_AFTER_MS } from './registry.ts';

const TOPIC = peerTopic<{ text: string }>('test:topic');

interface Cluster {
  /** One more gateway that listens, and what it was told. */
  join(act?: (text: string) => void | Promise<void>): Promise<{ peers: ConnectedPeers; heard: string[] }>;
  /** The admin's side: the sorted set of the living. */
  beatOf(id: string): Promise<number | undefined>;
  setBeat(id: string, ageMs: number): Promise<void>;
  forgetAll(): Promise<void>;
  cutOff(): void;
}

function cluster(t: TestContext): Cluster {
  const keys = redisKeys(redisPrefix());
  const log = pino({ level: 'silent' });
  const clients: ReturnType<typeof connectRedis>[] = [];
  const client = async () => {
    const redis = connectRedis(redisUrl(), { name: 'peers-test', log });
    t.after(() => redis.close());
    await eventually(() => assert.ok(redis.isReady()));
    clients.push(redis);
    return redis;
  };
  const admin = client();
  return {
    async join(act = () => {}) {
      const peers = createPeers({ redis: await client(), keys, log });
      const heard: string[] = [];
      peers.on(TOPIC, async ({ text }) => {
        heard.push(text);
        await act(text);
      });
      await peers.start();
      t.after(() => peers.stop());
      return { peers, heard };
    },
    async beatOf(id) {
      const score = await (await admin).commands.zscore(keys.livingGateways, id);
      return score === null ? undefined : Number(score);
    },
    async setBeat(id, ageMs) {
      await (await admin).commands.zadd(keys.livingGateways, Date.now() - ageMs, id);
    },
    async forgetAll() {
      await (await admin).commands.del(keys.livingGateways);
    },
    cutOff: () => clients.at(-1)?.close(),
  };
}

describe('peers', () => {
  test('all are told, this one at once', async (t) => {
    const c = cluster(t);
    const [a, b, d] = [await c.join(), await c.join(), await c.join()];
    a.peers.tellAll(TOPIC, { text: 'hello' });
    assert.deepEqual(a.heard, ['hello']);
    await eventually(() => assert.deepEqual([b.heard, d.heard], [['hello'], ['hello']]));
  });

  test('only those that are named', async (t) => {
    const c = cluster(t);
    const [a, b, d] = [await c.join(), await c.join(), await c.join()];
    a.peers.tell([a.peers.id, b.peers.id], TOPIC, { text: 'you' });
    a.peers.tell([d.peers.id], TOPIC, { text: 'barrier' });
    await eventually(() => assert.deepEqual(d.heard, ['barrier']));
    await eventually(() => assert.deepEqual([a.heard, b.heard], [['you'], ['you']]));
  });

  test('whoever asks waits until all have done it', async (t) => {
    const c = cluster(t);
    const { promise, resolve } = deferred();
    const [a, b, slow] = [await c.join(), await c.join(), await c.join(() => promise)];
    let all: boolean | undefined;
    const asked = a.peers.askAll(TOPIC, { text: 'do' }).then((answer) => (all = answer));
    await eventually(() => assert.deepEqual([b.heard, slow.heard], [['do'], ['do']]));
    assert.equal(await a.peers.askAll(peerTopic('nobody knows it'), {}), true); // a barrier behind b's answer
    assert.equal(all, undefined);
    resolve();
    await asked;
    assert.equal(all, true);
  });

  test('alone there is nobody to wait for', async (t) => {
    const a = await cluster(t).join();
    assert.equal(await a.peers.askAll(TOPIC, { text: 'me' }), true);
    assert.deepEqual(a.heard, ['me']);
  });

  test('who failed, or does not answer, is said to be missing', async (t) => {
    const c = cluster(t);
    const a = await c.join();
    const failing = await c.join(() => Promise.reject(new Error('cannot')));
    assert.equal(await a.peers.askAll(TOPIC, { text: 'do' }), false);
    assert.deepEqual(failing.heard, ['do']);
  });

  test('Redis has lost its data: those that lived before are still waited for', async (t) => {
    const c = cluster(t);
    const a = await c.join();
    await c.setBeat('slow to return', 0);
    assert.equal((await a.peers.registry.alive()).length, 2);
    await c.forgetAll(); // nobody has beaten since
    assert.equal(await a.peers.askAll(TOPIC, { text: 'do' }), false);
    await eventually(async () => assert.ok((await c.beatOf(a.peers.id)) !== undefined)); // this one has
    assert.equal(await a.peers.askAll(TOPIC, { text: 'do' }), false);
    assert.deepEqual((await a.peers.registry.alive()).toSorted(), [a.peers.id, 'slow to return'].toSorted());
  });

  test('with Redis away it is done here, and said not to be done by all', async (t) => {
    const c = cluster(t);
    const a = await c.join();
    c.cutOff();
    assert.equal(await a.peers.askAll(TOPIC, { text: 'do' }), false);
    assert.deepEqual(a.heard, ['do']);
  });
});

describe('the registry of gateways', () => {
  test('lists the living', async (t) => {
    const c = cluster(t);
    const [a, b] = [await c.join(), await c.join()];
    assert.deepEqual((await a.peers.registry.alive()).toSorted(), [a.peers.id, b.peers.id].toSorted());
    assert.deepEqual(await a.peers.registry.dead(), []);
  });

  test('one without a beat is dead until it is buried', async (t) => {
    const c = cluster(t);
    const a = await c.join();
    await c.setBeat('silent', DEAD_AFTER_MS + 1_000);
    assert.deepEqual(await a.peers.registry.alive(), [a.peers.id]);
    assert.deepEqual(await a.peers.registry.dead(), ['silent']);
    await a.peers.registry.bury('silent');
    assert.deepEqual(await a.peers.registry.dead(), []);
  });

  test('one that came back is not buried', async (t) => {
    const c = cluster(t);
    const a = await c.join();
    await c.setBeat('back', 0);
    await a.peers.registry.bury('back');
    assert.ok((await c.beatOf('back')) !== undefined);
  });

  test('one that has left is dead after its grace, and no longer alive before', async (t) => {
    const c = cluster(t);
    const [a, b] = [await c.join(), await c.join()];
    await b.peers.registry.leave(60_000);
    assert.deepEqual(await a.peers.registry.alive(), [a.peers.id]);
    assert.deepEqual(await a.peers.registry.dead(), []);
    await b.peers.registry.leave(0);
    await eventually(async () => assert.deepEqual(await a.peers.registry.dead(), [b.peers.id]));
  });

  test('one that was forgotten is told, and is there again', async (t) => {
    const c = cluster(t);
    const a = await c.join();
    let times = 0;
    a.peers.registry.onForgotten(() => (times += 1));
    await c.forgetAll();
    await eventually(() => assert.equal(times, 1));
    assert.deepEqual(await a.peers.registry.alive(), [a.peers.id]);
  });
});
