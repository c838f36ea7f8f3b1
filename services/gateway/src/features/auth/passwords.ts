import { hash, verify } from '@node-rs/argon2';
import { availableParallelism } from 'node:os';
import { ChatError } from '../../platform/errors.ts';
import { Slots, SlotsFullError } from '../../platform/slots.ts';

/**
 * argon2id with the OWASP minimum (19 MiB, 2 passes, 1 lane), computed in native threads off the event loop. 2 is
 * `Algorithm.Argon2id`; the package's enum is a const enum, which type stripping can't read.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/**
 * One for the process, as libuv's four threads are: a flood of logins leaves one of them to what else needs them (DNS,
 * signatures of tokens), and one core to the event loop. 256 passwords wait some seconds at most; who comes then is
 * told to come back, which keeps memory and waiting bounded.
 */
const slots = new Slots({ atOnce: Math.max(1, Math.min(3, availableParallelism() - 1)), waiting: 256 });
const RETRY_WHEN_FULL_MS = 2_000;

/** A hash of nobody's password: verifying against it costs as much as against a real one. */
const NOBODY = hash('nobody has this password', ARGON2ID);

/** Passwords that wait to be hashed or checked, in this process. */
export function passwordsWaiting(): number {
  return slots.waiting;
}

/** @throws ChatError `UNAVAILABLE` when too many wait */
export function hashPassword(password: string): Promise<string> {
  return inSlot(() => hash(password, ARGON2ID));
}

/**
 * Takes like time with and without a stored hash, so that an answer tells nothing of whether the account exists.
 *
 * @throws ChatError `UNAVAILABLE` when too many wait
 */
export async function isPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  const nobody = await NOBODY;
  const matches = await inSlot(() => verify(stored ?? nobody, password));
  return matches && typeof stored === 'string';
}

async function inSlot<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await slots.run(work);
  } catch (error) {
    if (!(error instanceof SlotsFullError)) throw error;
    throw new ChatError('UNAVAILABLE', {
      message: 'Too many passwords wait to be checked',
      retryAfterMs: RETRY_WHEN_FULL_MS,
      cause: error,
    });
  }
}
