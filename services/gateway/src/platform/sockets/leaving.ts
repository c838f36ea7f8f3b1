import type { SessionEndingCode } from '@parley/protocol';
import { endSession } from './ending.ts';
import type { ChatSocket } from './types.ts';

/** How long answers that are still to come are waited for, ms; and how often it is looked whether they have come. */
const LAST_ANSWERS_MS = 1_000;
const LOOK_EVERY_MS = 10;

/**
 * Ends a session like `endSession`, but after the requests under way are answered: what was sent before the end, and is
 * stored, is not to be left without its acknowledgement. From now on nothing more is taken in.
 */
export function endAfterAnswers(socket: ChatSocket, code: SessionEndingCode, message: string, afterMs?: number): void {
  const { data } = socket;
  if (data.isEnded || data.isLeaving) return;
  data.isLeaving = true;
  if (data.inFlight === 0) {
    endSession(socket, code, message, afterMs);
    return;
  }
  const deadline = performance.now() + LAST_ANSWERS_MS;
  const timer = setInterval(() => {
    if (data.inFlight > 0 && performance.now() < deadline) return;
    clearInterval(timer);
    endSession(socket, code, message, afterMs);
  }, LOOK_EVERY_MS);
  timer.unref();
}
