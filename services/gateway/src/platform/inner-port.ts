import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { healthReady } from '@parley/protocol';
import type { Metrics } from './metrics.ts';

export interface InnerPortOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Metrics;
  isReady: () => boolean;
}

/**
 * What is asked by those who watch the gateway, on a port of their own, which is never the public one: `GET /metrics` by
 * Prometheus, `GET /health/ready` by the proxy.
 *
 * The public port answers the second one as well, but late when a crowd comes: libuv (since 1.45) takes one connection
 * from a listening socket in each turn of the event loop, so a check would stand behind the whole crowd, for seconds, and
 * the gateway would pass for dead. Here it waits for two turns, and still says whether the event loop turns.
 *
 * @throws what `listen` does, such as EADDRINUSE
 * @see https://github.com/libuv/libuv/pull/3696
 */
export async function serveInnerPort(options: InnerPortOptions): Promise<{ port: number; close(): Promise<void> }> {
  const { host, port, metrics, isReady } = options;
  const server = createServer((request, response) => {
    if (request.url === healthReady.path) {
      response.writeHead(isReady() ? 200 : 503).end();
    } else if (request.url === '/metrics') {
      metrics.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
