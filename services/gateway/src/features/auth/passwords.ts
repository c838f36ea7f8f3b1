import { hash, verify } from '@node-rs/argon2';

/**
 * argon2id with the OWASP minimum (19 MiB, 2 passes, 1 lane), computed in native threads off the event loop. 2 is
 * `Algorithm.Argon2id`; the package's enum is a const enum, which type stripping can't read.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash of nobody's password: verifying against it costs as much as against a real one. */
const NOBODY = hash('nobody has this password', ARGON2ID);

export function hashPassword(password: string): Promise<string> {
  return hash(password, ARGON2ID);
}

/** Takes like time with and without a stored hash, so that an answer tells nothing of whether the account exists. */
export async function isPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  const matches = await verify(stored ?? (await NOBODY), password);
  return matches && typeof stored === 'string';
}
