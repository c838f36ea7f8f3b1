import { limits } from '@parley/protocol';
import { createDatabase, redisPrefix, redisUrl, type Owner } from '@parley/test-support';

/** Signs every HS256 token of the tests. */
export const SECRET = 'the-secret-of-the-tests-has-more-than-32-bytes';

export type Environment = Record<string, string>;

/**
 * The environment of gateways that share an own database and an own name space in Redis. Rates are off, so that a test
 * may send as fast as it likes, and a stop does not spread its farewells: both are set where they are the matter.
 */
export async function gatewayEnvironment(owner: Owner): Promise<Environment> {
  const database = await createDatabase();
  owner.after(() => database.drop());
  const rates = Object.keys(limits).filter((name) => name.startsWith('RATE_') || name === 'MUTE_AFTER');
  return {
    ...Object.fromEntries(rates.map((name) => [name, 'off'])),
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: database.url,
    DATABASE_POOL_MAX: '5',
    REDIS_URL: redisUrl(),
    REDIS_PREFIX: redisPrefix().replace(/[^A-Za-z0-9_.-]/g, ''),
    JWT_SECRET: SECRET,
    DRAIN_MS: '0',
  };
}
