/**
 * Serves the public protocol suites until it is interrupted.
 *
 *   PORT      where the suites find it (3000)
 *   REPLICAS  servers behind HAProxy; 0 is one server without HAProxy (1)
 */
import type { Owner } from '@parley/test-support';
import { startHaproxy } from './haproxy.ts';
import { startPlatformServer, type PlatformServer } from './platform-server.ts';

const port = Number(process.env['PORT'] ?? 3_000);
const replicas = Number(process.env['REPLICAS'] ?? 1);

const closers: (() => Promise<void>)[] = [];
const owner: Owner = { after: (close) => void closers.push(close) };

const interrupted = Promise.withResolvers<void>();
process.once('SIGINT', () => interrupted.resolve());
process.once('SIGTERM', () => interrupted.resolve());
try {
  await start();
  console.log(`http://localhost:${port}: ${replicas === 0 ? 'one server' : `${replicas} behind HAProxy`}`);
  await interrupted.promise;
} finally {
  for (const close of closers.toReversed()) await close();
}

async function start(): Promise<void> {
  if (replicas === 0) {
    await startServer('direct', port);
    return;
  }
  const gateways: PlatformServer[] = [];
  for (let i = 1; i <= replicas; i += 1) gateways.push(await startServer(`gateway${i}`));
  await startHaproxy({ owner, gateways, port });
}

async function startServer(name: string, port?: number): Promise<PlatformServer> {
  const server = await startPlatformServer({ name, ...(port !== undefined && { port }) });
  owner.after(() => server.close());
  return server;
}
