import type { FastifyInstance } from 'fastify';

const LOOK_EVERY_MS = 100;

/**
 * Closes the server once the requests that are under way are answered. A proxy keeps a connection for its next request,
 * and Node closes only those that are idle at the beginning: one that is busy then would hold up the stop for as long as
 * it may be kept alive.
 */
export async function closeHttpApp(app: FastifyInstance): Promise<void> {
  const closing = setInterval(() => app.server.closeIdleConnections(), LOOK_EVERY_MS);
  try {
    await app.close();
  } finally {
    clearInterval(closing);
  }
}
