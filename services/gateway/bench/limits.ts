/**
 * What a decision on a send costs, beside a plain GET over the same connection: CPU of the gateway's process and of Redis.
 *
 *   node services/gateway/bench/limits.ts [decisions]
 *
 * Some hundred users send in turn, sixty-four at a time, below their rates; then one floods.
 */
import { startRedis } from '@parley/test-support';
import { readConfig } from '../src/config.ts';
import { createLimits } from '../src/features/limits/limits.ts';
import { createLog } from '../src/platform/log.ts';
import { Metrics } from '../src/platform/metrics.ts';
import { connectRedis } from '../src/platform/redis/clients.ts';
import { redisKeys } from '../src/platform/redis/keys.ts';

const DECISIONS = Number(process.argv[2] ?? 50_000);
const AT_ONCE = 64;
const USERS = 200;

const server = await startRedis();
const log = createLog({ level: 'silent', name: 'bench' });
const redis = connectRedis(server.url, { name: 'bench', log });
await new Promise((resolve) => redis.commands.once('ready', resolve));
const ROOM = '01a1fe8e-3f49-7366-94f4-da0c480cb4e3';

function limitsOf(rates: Record<string, string>) {
  const env = { DATABASE_URL: 'postgres://nowhere', REDIS_URL: server.url, JWT_SECRET: 'x'.repeat(32), ...rates };
  const keys = redisKeys(`bench${Object.values(rates).join('').replaceAll('/', '-')}`);
  return createLimits({ limits: readConfig(env).limits, redis, keys, metrics: new Metrics(), log });
}

async function redisCpuMs(): Promise<number> {
  const info = await redis.commands.info('cpu');
  const seconds = [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, value]) => Number(value));
  return seconds.reduce((sum, value) => sum + value, 0) * 1_000;
}

async function measure(name: string, once: (index: number) => Promise<unknown> | undefined): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < DECISIONS) await once(next++);
  };
  for (let warm = 0; warm < 2_000; warm += 1) await once(warm);
  const before = { cpu: process.cpuUsage(), redis: await redisCpuMs(), at: performance.now() };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  const elapsedMs = performance.now() - before.at;
  const cpu = process.cpuUsage(before.cpu);
  const perOne = (ms: number): string => ((ms * 1_000) / DECISIONS).toFixed(1).padStart(6);
  const redisMs = (await redisCpuMs()) - before.redis;
  console.log(
    `${name.padEnd(44)} gateway ${perOne((cpu.user + cpu.system) / 1_000)} us   Redis ${perOne(redisMs)} us   ` +
      `${Math.round((DECISIONS / elapsedMs) * 1_000)} a second`,
  );
}

const user = (index: number): string => `user${index % USERS}`;
const refused = (): void => {};
await measure('GET of a key', (index) => redis.commands.get(`bench:rate:${user(index)}`));
const wide = limitsOf({ RATE_MESSAGES_ROOM: '100/10ms', RATE_MESSAGES_USER: '100/10ms' });
await measure('a send, exact windows', (index) => wide.message(user(index), ROOM));
const large = limitsOf({ RATE_MESSAGES_ROOM: '1000000/1s', RATE_MESSAGES_USER: '1000000/1s' });
await measure('a send, compact windows', (index) => large.message(user(index), ROOM));
const strict = limitsOf({ RATE_MESSAGES_ROOM: '10/1h', MUTE_FOR: '1h' });
await measure('a send that is refused, of one who is muted', async () => {
  try {
    await strict.message('flooder', ROOM);
  } catch {
    refused();
  }
});
for (const limits of [wide, large, strict]) limits.stop();
redis.close();
await server.remove();
