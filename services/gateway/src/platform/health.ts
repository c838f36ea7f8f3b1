import type { FastifyInstance } from 'fastify';
import { healthLive, healthReady } from '@parley/protocol';
import { ChatError } from './errors.ts';

/**
 * Liveness and readiness. A gateway is ready once its stores were there at the start, until it drains. A store that goes
 * away later changes nothing: every gateway would leave the proxy at once, and sockets that could wait would be cut.
 */
export function mountHealth(app: FastifyInstance, isReady: () => boolean): void {
  app.get(healthLive.path, async () => ({ status: 'ok' }));
  app.get(healthReady.path, async () => {
    if (!isReady()) throw new ChatError('UNAVAILABLE', { message: 'Starting or draining', retryAfterMs: 1_000 });
    return { status: 'ok' };
  });
}
