import { ChatError } from './errors.ts';
import { Slots, SlotsFullError } from './slots.ts';

/** Of one gateway. Enough to keep PostgreSQL busy, and a few milliseconds of the event loop. */
const AT_ONCE = 32;
/** Longer than a gateway needs for all that one beside it may have had. */
export const PATIENCE_MS = 15_000;
const RETRY_MS = 1_000;

/**
 * Who connects, joins or syncs waits for a turn, so that a crowd that comes at once (after the death of another gateway)
 * takes turns with those who talk instead of standing before them in every queue: the event loop's, PostgreSQL's and
 * Redis's.
 */
export class Arrivals {
  readonly #slots: Slots;

  /** @param limits smaller ones, for tests */
  constructor(limits: { atOnce?: number; patienceMs?: number } = {}) {
    this.#slots = new Slots({ atOnce: AT_ONCE, patienceMs: PATIENCE_MS, ...limits, waiting: Infinity });
  }

  /**
   * @param isHere whether anybody still waits for it when it is its turn
   * @throws ChatError `UNAVAILABLE` after a wait of 15 s, or when nobody is there any more; or what the work throws
   */
  async inTurn<T>(isHere: () => boolean, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#slots.run(async () => {
        if (!isHere()) throw new ChatError('UNAVAILABLE', { message: 'Left before its turn', retryAfterMs: RETRY_MS });
        return work();
      });
    } catch (error) {
      if (!(error instanceof SlotsFullError)) throw error;
      throw new ChatError('UNAVAILABLE', { message: 'Too many arrive at once', retryAfterMs: RETRY_MS });
    }
  }
}
