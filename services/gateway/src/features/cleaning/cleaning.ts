import { isUnavailable } from '@parley/database';
import type { Context } from '../../context.ts';
import { leftovers, lockCleaning, removeSome, type Leftover } from './cleaning.sql.ts';

type CleaningContext = Pick<Context, 'db' | 'log' | 'metrics'> & {
  config: Pick<Context['config'], 'ROOM_EMPTY_TTL' | 'AUDIT_TTL'>;
};

/** Rows of one transaction: few enough that nobody waits long for a row of them. */
const CHUNK = 1_000;

export interface Cleaning {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/**
 * Removes what is left over, every `CLEANUP_EVERY`: rooms that have been without members and messages for
 * `ROOM_EMPTY_TTL`, bans, mutes, sessions and codes that have ended, old entries of the audit.
 *
 * Every replica has this clock, and one at a time works: each step is a short transaction of its own that needs the
 * advisory lock, and one that does not get it leaves the round to the replica that has it. To be called when the schema
 * is there.
 */
export function startCleaning(ctx: Context): Cleaning {
  const everyMs = ctx.config.CLEANUP_EVERY;
  if (everyMs === null) return { stop: () => Promise.resolve() };
  const stopping = new AbortController();
  let running = Promise.resolve();
  let isRunning = false;

  const timer = setInterval(() => {
    if (isRunning) return; // there is that much to do
    isRunning = true;
    running = cleanUp(ctx, stopping.signal).finally(() => {
      isRunning = false;
    });
  }, everyMs);

  return {
    stop() {
      clearInterval(timer);
      stopping.abort();
      return running;
    },
  };
}

/**
 * One round: everything that is left over now, unless another replica is at it. Does not throw.
 *
 * @param signal ends it early
 */
export async function cleanUp(ctx: CleaningContext, signal: AbortSignal): Promise<void> {
  const { ROOM_EMPTY_TTL: emptyRoomMs, AUDIT_TTL: auditMs } = ctx.config;
  const removed: Record<string, number> = {};
  for (const leftover of leftovers({ emptyRoomMs, auditMs })) {
    try {
      let count: number | undefined = CHUNK;
      while (count === CHUNK && !signal.aborted) {
        count = await removeChunk(ctx, leftover);
        if (!count) continue;
        ctx.metrics.cleaned.inc({ what: leftover.what }, count);
        removed[leftover.what] = (removed[leftover.what] ?? 0) + count;
      }
      if (count === undefined || signal.aborted) break;
    } catch (error) {
      // The next round tries again. That a store is away is said by all who need it for more than this.
      if (isUnavailable(error)) break;
      ctx.log.warn({ err: error, what: leftover.what }, 'the clean-up failed');
    }
  }
  if (Object.keys(removed).length > 0) ctx.log.info({ removed }, 'cleaned up');
}

/** @returns how many rows, or undefined while another replica works */
function removeChunk({ db }: CleaningContext, leftover: Leftover): Promise<number | undefined> {
  return db
    .transaction()
    .execute(async (trx) => ((await lockCleaning(trx)) ? removeSome(trx, leftover, CHUNK) : undefined));
}
