/**
 * Starts the plain cluster in place of Parley's, with the same PostgreSQL, Redis and HAProxy:
 *
 *   node loadtest/plain/start.ts [gateways, default 3]
 *
 * Its data are in `PARLEY_DATA_DIR` (default .parley/plain). Ends on Ctrl-C.
 */
import { join } from 'node:path';
import { startChaosCluster } from '../../tests/cluster/chaos/cluster.ts';

const say = (line: string): void => console.log(line);

const cluster = await startChaosCluster({
  dataDir: process.env['PARLEY_DATA_DIR'] ?? '.parley/plain',
  replicas: Number(process.argv[2] ?? 3),
  log: say,
  alter: ({ gateways, redisUrl }) => {
    for (const { service } of gateways) {
      service.command.args = [join(import.meta.dirname, 'gateway.ts')];
      service.command.env = { ...service.command.env, REDIS_URL: redisUrl };
    }
  },
});
say(`The plain cluster listens on ${cluster.url}; its tokens are signed (HS256) with ${cluster.jwtSecret}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cluster.stop());
