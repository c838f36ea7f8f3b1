import { migrateToLatest } from '@parley/database';
import { createEmptyDatabase, startPostgres, startRedis } from '@parley/test-support';

export interface Stores {
  /** Ends both servers and removes all they wrote. */
  stop: () => Promise<void>;
}

/**
 * A private PostgreSQL with a migrated template database, and a private Redis, for one run of the tests. They are
 * named in this process's environment, as `packages/test-support` looks for them.
 */
export async function startStores(): Promise<Stores> {
  const started = await Promise.allSettled([startPostgres(), startRedis()]);
  const stop = async () => {
    await Promise.all(started.map(async (server) => server.status === 'fulfilled' && server.value.remove()));
  };
  try {
    const [postgres, redis] = started;
    if (postgres.status === 'rejected') throw postgres.reason;
    if (redis.status === 'rejected') throw redis.reason;
    process.env['PARLEY_TEST_POSTGRES_URL'] = postgres.value.url;
    process.env['PARLEY_TEST_REDIS_URL'] = redis.value.url;
    const template = await createEmptyDatabase();
    await migrateToLatest(template.url);
    process.env['PARLEY_TEST_TEMPLATE'] = new URL(template.url).pathname.slice(1);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
