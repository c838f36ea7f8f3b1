import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf, machineCpuSeconds, usageOf } from '../measure/processes.ts';
import { difference, watchStores, type StoreCounters } from '../measure/stores.ts';
import type { Target } from '../target/target.ts';

/** Seconds of CPU by part of the cluster, and of the whole machine, whoever took them. */
export type Cpu = Record<'gateways' | 'haproxy' | 'redis' | 'postgres' | 'machine', number>;

/** What the stores did: calls of Redis by command, columns of pg_stat_database. */
export interface StoreWork {
  /** Messages that were stored meanwhile. */
  messages: number;
  redis: Record<string, number>;
  postgres: Record<string, number>;
}

/** Measures what a cluster spends on a piece of work. */
export interface CostMeter {
  /** Resident bytes of all gateways together. */
  gatewayMemory(): number;
  cpuOf<T>(work: () => Promise<T>): Promise<{ result: T; cpu: Cpu }>;
  /**
   * What the stores do during the work. Idle connections of PostgreSQL tell what they did up to ten seconds later, so this
   * waits until the rows of all messages are counted, `patienceMs` at the longest.
   *
   * @param messagesIn how many messages the work stored
   */
  storeWorkOf<T>(
    work: () => Promise<T>,
    messagesIn: (result: T) => number,
    patienceMs: number,
  ): Promise<{ result: T; stores: StoreWork }>;
  close(): Promise<void>;
}

const POLL_MS = 250;

export async function openCostMeter(target: Target): Promise<CostMeter> {
  const { info } = target;
  const stores = await watchStores({ postgres: info.postgres.url, redis: info.redis.url });
  const gateways = info.gateways.map(({ pid }) => pid);
  const readCpu = (): Cpu => ({
    gateways: usageOf(gateways).cpuSeconds,
    haproxy: usageOf(target.edgePids).cpuSeconds,
    redis: usageOf([info.redis.pid]).cpuSeconds,
    postgres: usageOf(familyOf(info.postgres.pid)).cpuSeconds,
    machine: machineCpuSeconds(),
  });
  return {
    gatewayMemory: () => usageOf(gateways).rssBytes,
    async cpuOf(work) {
      const before = readCpu();
      const result = await work();
      const grown = Object.entries(readCpu()).map(([part, seconds]) => [part, seconds - before[part as keyof Cpu]]);
      return { result, cpu: Object.fromEntries(grown) as Cpu };
    },
    async storeWorkOf(work, messagesIn, patienceMs) {
      const before = await stores.read();
      const result = await work();
      const messages = messagesIn(result);
      const deadline = Date.now() + patienceMs;
      let after = await stores.read();
      // The calls of Redis are counted at once, and must not grow by our waiting.
      const redisAfter = after.redis;
      while (after.postgres.tup_inserted - before.postgres.tup_inserted < messages && Date.now() < deadline) {
        await sleep(POLL_MS);
        after = await stores.read();
      }
      return { result, stores: { messages, ...workBetween(before, { ...after, redis: redisAfter }) } };
    },
    close: () => stores.close(),
  };
}

function workBetween(before: StoreCounters, after: StoreCounters): Pick<StoreWork, 'redis' | 'postgres'> {
  const redis = difference(before.redis, after.redis);
  // Our own question.
  delete redis['info'];
  return { redis, postgres: difference(before.postgres, after.postgres) };
}
