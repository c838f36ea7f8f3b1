import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { clearFailures, findLock, insertFailure, type FailureKey } from './lock-out.sql.ts';

/** Ten failures in ten minutes lock the pair of account and address for a quarter of an hour (contract, section 6). */
const LOCK_OUT = { failures: 10, windowMs: 600_000, lockMs: 900_000 };

/** @throws ChatError `RATE_LIMITED` while the pair is locked */
export async function requireUnlocked({ db }: Context, key: FailureKey): Promise<void> {
  refuseUntil(await findLock(db, key));
}

/**
 * A wrong password or code, of an account that exists or not.
 *
 * A crowd of guesses that are let in together is checked before it is counted. Those past the last that is allowed are
 * refused all the same, right or wrong, so that a crowd learns no more than ten in a row.
 *
 * @throws ChatError `RATE_LIMITED` when the pair was locked meanwhile
 */
export async function countFailure({ db }: Context, key: FailureKey): Promise<void> {
  refuseUntil(await insertFailure(db, key, LOCK_OUT));
}

/**
 * A right password or code: what failed before is forgotten, unless the pair was locked meanwhile.
 *
 * @throws ChatError `RATE_LIMITED`
 */
export async function forgetFailures({ db }: Context, key: FailureKey): Promise<void> {
  refuseUntil(await clearFailures(db, key));
}

function refuseUntil(lockedUntil: Date | undefined): void {
  if (!lockedUntil) return;
  throw new ChatError('RATE_LIMITED', {
    message: 'Too many failed logins',
    retryAfterMs: Math.max(1, lockedUntil.getTime() - Date.now()),
  });
}
