import { ChatError } from '../errors.ts';

const wholeMs = (ms: number): number => Math.max(1, Math.ceil(ms));
const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** A refusal by a rate of a user. The doors count them: many of them end the session (`RATE_ABUSE`). */
export class RateRefusal extends ChatError {
  /**
   * @param waitMs after what time the same request finds a place; told in whole milliseconds, never less
   * @param mutedUntil the end of the mute that this refusal has brought about, ms since the epoch
   */
  constructor(message: string, waitMs: number, mutedUntil?: number) {
    super('RATE_LIMITED', {
      message,
      retryAfterMs: wholeMs(waitMs),
      ...(mutedUntil !== undefined && { details: { until: iso(mutedUntil) } }),
    });
  }
}

/** A refusal since the user is muted in the room for having gone on when refused. Counts like a `RateRefusal`. */
export class MutedRefusal extends ChatError {
  /** @param until the end of the mute, ms since the epoch */
  constructor(until: number, waitMs: number) {
    super('MUTED', { details: { until: iso(until) }, retryAfterMs: wholeMs(waitMs) });
  }
}

/** Whether an error is a refusal that counts towards `RATE_ABUSE`. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RateRefusal || error instanceof MutedRefusal;
}
