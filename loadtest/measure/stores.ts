import { Redis } from 'ioredis';
import pg from 'pg';

/** What the stores have done since their start. */
export interface StoreCounters {
  /** Calls by command, such as `spublish`. */
  redis: Record<string, number>;
  /** Columns of pg_stat_database, of the cluster's database. */
  postgres: Record<PostgresCounter, number>;
}

const POSTGRES_COUNTERS = ['xact_commit', 'tup_fetched', 'tup_inserted', 'tup_updated', 'tup_deleted'] as const;
export type PostgresCounter = (typeof POSTGRES_COUNTERS)[number];

/** Watches the counters of a cluster's stores over connections of its own. */
export interface StoreWatch {
  read(): Promise<StoreCounters>;
  close(): Promise<void>;
}

/** @throws when a store can't be reached */
export async function watchStores(urls: { postgres: string; redis: string }): Promise<StoreWatch> {
  const redis = new Redis(urls.redis, { lazyConnect: true });
  const postgres = new pg.Client({ connectionString: urls.postgres });
  // A store that goes away later fails the next read.
  for (const client of [redis, postgres]) client.on('error', () => {});
  await redis.connect();
  await postgres.connect();
  return {
    async read() {
      const [stats, { rows }] = await Promise.all([
        redis.info('commandstats'),
        postgres.query(
          `select ${POSTGRES_COUNTERS.join(', ')} from pg_stat_database where datname = current_database()`,
        ),
      ]);
      const numbers = Object.entries(rows[0] as Record<string, string>).map(([name, value]) => [name, Number(value)]);
      return { redis: parseCommandStats(stats), postgres: Object.fromEntries(numbers) };
    },
    async close() {
      redis.disconnect();
      await postgres.end();
    },
  };
}

/** The answer of INFO commandstats: calls by command. */
export function parseCommandStats(text: string): Record<string, number> {
  const calls = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  return Object.fromEntries(calls.map(([, command = '', count]) => [command, Number(count)]));
}

/** What was counted between two readings, without what stayed as it was. */
export function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const grown = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, value]) => value !== 0));
}
