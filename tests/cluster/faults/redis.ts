import { setTimeout as delay } from 'node:timers/promises';
import { redisCommand } from '../chaos/redis-command.ts';
import type { Fault } from '../chaos/stage.ts';
import { waitUntil } from '../chaos/wait.ts';

export const redisRestart: Fault = {
  name: 'redis-restart',
  about: 'kill -9 of Redis, and a new one is started',
  async strike({ cluster }) {
    const { pid } = cluster.info.redis;
    process.kill(pid, 'SIGKILL');
    await waitUntil(async () => {
      if (cluster.info.redis.pid === pid) return false;
      return redisCommand(cluster.info.redis.url, 'PING').then(
        (answer) => answer.includes('PONG'),
        () => false,
      );
    }, 30_000);
  },
};

export const redisAway: Fault = {
  name: 'redis-away',
  about: 'no gateway reaches Redis for 8 s',
  async strike({ cluster, pace }) {
    for (const proxy of cluster.redisProxies) {
      proxy.isOpen = false;
      for (const link of proxy.links) link.reset();
    }
    await delay(8_000 * pace);
    for (const proxy of cluster.redisProxies) proxy.isOpen = true;
  },
};

export const redisCutOff: Fault = {
  name: 'redis-cut-off',
  about: 'one gateway does not reach Redis for 8 s, and nobody tells it: its packets go nowhere',
  async strike({ cluster, random, pace }) {
    const proxy = random.pick(cluster.redisProxies);
    for (const link of proxy.links) link.swallow();
    await delay(8_000 * pace);
    for (const link of proxy.links) link.reset();
  },
};

export const redisSubscribersCut: Fault = {
  name: 'redis-subscribers-cut',
  about: 'CLIENT KILL TYPE pubsub, five times within 5 s',
  async strike({ cluster, pace }) {
    for (let times = 0; times < 5; times += 1) {
      await redisCommand(cluster.info.redis.url, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      await delay(1_000 * pace);
    }
  },
};

export const redisPause: Fault = {
  name: 'redis-pause',
  about: 'CLIENT PAUSE of 4 s',
  async strike({ cluster, pace }) {
    await redisCommand(cluster.info.redis.url, 'CLIENT', 'PAUSE', String(Math.round(4_000 * pace)), 'ALL');
    await delay(4_000 * pace);
  },
};

export const redisFreeze: Fault = {
  name: 'redis-freeze',
  about: 'Redis stands still for 4 s (SIGSTOP, which DEBUG SLEEP is from the inside)',
  async strike({ cluster, pace }) {
    const { pid } = cluster.info.redis;
    process.kill(pid, 'SIGSTOP');
    await delay(4_000 * pace);
    process.kill(pid, 'SIGCONT');
  },
};

export const redisLosses: Fault = {
  name: 'redis-losses',
  about: 'a third of all messages between Redis and the gateways is lost for 8 s, and for one gateway all of them',
  async strike({ cluster, random, pace }) {
    const before = cluster.lost;
    cluster.losses.fill(1 / 3);
    cluster.losses[random.below(cluster.losses.length)] = 1;
    await delay(8_000 * pace);
    cluster.losses.fill(0);
    if (cluster.lost === before) throw new Error('Nothing was lost');
  },
};
