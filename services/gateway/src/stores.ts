import { isUnavailable, migrateToLatest } from '@parley/database';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './platform/log.ts';
import type { RedisClients } from './platform/redis/clients.ts';

const RETRY_MS = 500;
const REPORT_EVERY_MS = 5_000;
/** Sharded publish and subscribe came with it. */
const OLDEST_REDIS = 7;

export interface PrepareOptions {
  databaseUrl: string;
  redis: RedisClients;
  log: Log;
  /** Ends the waiting. */
  signal: AbortSignal;
}

/**
 * Waits for both stores, brings the schema up to date (replicas that start at once take turns), and checks that Redis
 * can do what is needed. A store that is away is waited for; what waiting can't mend is thrown.
 */
export async function prepareStores({ databaseUrl, redis, log, signal }: PrepareOptions): Promise<void> {
  const migrated = await untilThere('PostgreSQL', { log, signal }, isUnavailable, () =>
    migrateToLatest(databaseUrl, { log: (line) => log.info(line) }),
  );
  if (migrated.applied.length > 0) log.info({ applied: migrated.applied }, 'schema brought up to date');
  await untilThere(
    'Redis',
    { log, signal },
    () => true,
    async () => {
      if (!redis.isReady()) throw new Error('not connected yet');
    },
  );
  const info = await redis.commands.info('server');
  const version = /redis_version:(\d+)/.exec(info)?.[1];
  if (version !== undefined && Number(version) < OLDEST_REDIS) {
    throw new Error(`Redis ${OLDEST_REDIS} or newer is needed, this is ${version}`);
  }
}

async function untilThere<T>(
  store: string,
  { log, signal }: { log: Log; signal: AbortSignal },
  isAway: (error: unknown) => boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  let reportedAt = Date.now();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (Date.now() - reportedAt >= REPORT_EVERY_MS) {
        log.warn({ err: error, store }, 'waiting for a store');
        reportedAt = Date.now();
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}
