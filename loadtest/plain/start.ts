/**
 * Starts the plain cluster in place of Parley's, with the same PostgreSQL, Redis and HAProxy:
 *
 *   node loadtest/plain/start.ts [gateways, default 3]
 *
 * Its data are in `PARLEY_DATA_DIR` (default .parley/plain). Ends on Ctrl-C.
 */
import { startTarget } from '../target/target.ts';

const say = (line: string): void => console.log(line);

const target = await startTarget({
  kind: 'plain',
  dataDir: process.env['PARLEY_DATA_DIR'] ?? '.parley/plain',
  replicas: Number(process.argv[2] ?? 3),
  edges: 1,
  log: say,
});
say(`The plain cluster listens on ${target.urls[0]}; its tokens are signed (HS256) with ${target.jwtSecret}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void target.stop());
