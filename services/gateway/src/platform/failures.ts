import { randomUUID } from 'node:crypto';
import { isStatementTimeout, isTransient, isUnavailable } from '@parley/database';
import { ZodError } from 'zod';
import { issuesOf } from '@parley/protocol';
import { ChatError } from './errors.ts';
import type { Log } from './log.ts';

/** How long a client should wait before it repeats a request that met an absent store, ms. */
export const RETRY_STORE_MS = 1_000;

/**
 * What a client is told of anything that was thrown: a `ChatError` as it is, a failed parse as `VALIDATION_ERROR`, a
 * store that is away or too slow as `UNAVAILABLE`, all else as `INTERNAL` with the original kept as its cause.
 */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  if (error instanceof ZodError) return validationError(error);
  if (isUnavailable(error) || isTransient(error) || isStatementTimeout(error)) {
    return new ChatError('UNAVAILABLE', { retryAfterMs: RETRY_STORE_MS, cause: error });
  }
  return new ChatError('INTERNAL', { cause: error });
}

/**
 * The same, and a fault is logged and answered with the id that the log has.
 *
 * @param about what else the line says
 */
export function reportedError(
  log: Log,
  thrown: unknown,
  message: string,
  about?: () => Record<string, unknown>,
): ChatError {
  const error = asChatError(thrown);
  if (error.code !== 'INTERNAL') return error;
  const requestId = randomUUID();
  log.error({ err: thrown, requestId, ...about?.() }, message);
  return new ChatError('INTERNAL', { details: { requestId } });
}

export function validationError(error: ZodError): ChatError {
  return new ChatError('VALIDATION_ERROR', { details: issuesOf(error) });
}
