import { isUniqueViolation } from '@parley/database';
import type { User } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { onlineAmong } from '../presence/connections.ts';
import { toUser } from '../users/view.ts';
import { findAccount, insertAccount, usernameKey } from './accounts.sql.ts';
import { deleteFailures, findLock, insertFailure } from './lock-out.sql.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { openSession, type Login } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export interface LoggedIn {
  user: User;
  login: Login;
}

/** @throws ChatError `CONFLICT` when the username is taken, in any case */
export async function register(
  ctx: Context,
  tokens: Tokens,
  input: { username: string; password: string; name?: string | undefined },
): Promise<LoggedIn> {
  const passwordHash = await hashPassword(input.password);
  const id = uuidv7();
  try {
    const row = await insertAccount(ctx.db, {
      id,
      username: input.username,
      name: input.name ?? input.username,
      passwordHash,
    });
    const login = await openSession(ctx, tokens, { id, name: row.name, role: 'user' });
    return { user: toUser(row, false), login };
  } catch (error) {
    if (isUniqueViolation(error)) throw new ChatError('CONFLICT', { message: 'This username is taken' });
    throw error;
  }
}

/** Ten failures in ten minutes lock the pair of account and address for a quarter of an hour (contract, section 6). */
const LOCK_OUT = { failures: 10, windowMs: 600_000, lockMs: 900_000 };

/**
 * @throws ChatError `UNAUTHORIZED`, the same for an unknown user, a wrong password and a banned account; `RATE_LIMITED`
 *   while the account is locked for this address, the right password or not
 */
export async function login(
  ctx: Context,
  tokens: Tokens,
  { username, password, address }: { username: string; password: string; address: string },
): Promise<LoggedIn> {
  const key = { accountKey: usernameKey(username), address };
  const [account, lockedUntil] = await Promise.all([findAccount(ctx.db, username), findLock(ctx.db, key)]);
  if (lockedUntil) {
    throw new ChatError('RATE_LIMITED', {
      message: 'Too many failed logins',
      retryAfterMs: Math.max(1, lockedUntil.getTime() - Date.now()),
    });
  }
  const isRight = await isPassword(account?.password_hash, password);
  if (!account || !isRight || account.banned_at !== null) {
    await insertFailure(ctx.db, key, LOCK_OUT);
    throw new ChatError('UNAUTHORIZED', { message: 'Wrong username or password' });
  }
  await deleteFailures(ctx.db, key);
  const online = await onlineAmong(ctx, [account.id]);
  return { user: toUser(account, online.has(account.id)), login: await openSession(ctx, tokens, account) };
}
