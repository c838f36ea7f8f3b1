import { isUniqueViolation } from '@parley/database';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { findAccount, findAccountOf, insertAccount, replacePassword, usernameKey } from './accounts.sql.ts';
import { deleteCodes } from './codes.sql.ts';
import { tellEnded } from './endings.ts';
import { countFailure, forgetFailures, requireUnlocked } from './lock-out.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { openSession, type LoggedIn } from './sessions.ts';
import { endCredentials } from './sessions.sql.ts';
import type { Tokens } from './tokens.ts';

/** @throws ChatError `CONFLICT` when the username is taken, in any case */
export async function register(
  ctx: Context,
  tokens: Tokens,
  input: { username: string; password: string; name?: string | undefined; email?: string | undefined },
): Promise<LoggedIn> {
  const passwordHash = await hashPassword(input.password);
  const account = {
    id: uuidv7(),
    username: input.username,
    name: input.name ?? input.username,
    email: input.email ?? null,
  };
  try {
    await insertAccount(ctx.db, { ...account, passwordHash });
  } catch (error) {
    if (isUniqueViolation(error)) throw new ChatError('CONFLICT', { message: 'This username is taken' });
    throw error;
  }
  return openSession(ctx, tokens, { ...account, role: 'user' });
}

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
  const [account] = await Promise.all([findAccount(ctx.db, username), requireUnlocked(ctx, key)]);
  const isRight = await isPassword(account?.password_hash, password);
  if (!account || !isRight || account.banned_at !== null) {
    await countFailure(ctx, key);
    throw new ChatError('UNAUTHORIZED', { message: 'Wrong username or password' });
  }
  await forgetFailures(ctx, key);
  return openSession(ctx, tokens, { ...account, passwordHash: account.password_hash });
}

/**
 * Changes the password, and ends all sessions: whoever knew the old one is out.
 *
 * @throws ChatError `FORBIDDEN` when the current one is wrong, or the user has none here; `RATE_LIMITED` while locked
 */
export async function changePassword(
  ctx: Context,
  actor: Identity,
  input: { currentPassword: string; newPassword: string; address: string },
): Promise<void> {
  const userId = actor.user.id;
  const account = await findAccountOf(ctx.db, userId);
  if (!account) throw new ChatError('FORBIDDEN', { message: 'This user has no password here' });
  const key = { accountKey: usernameKey(account.username), address: input.address };
  await requireUnlocked(ctx, key);
  const from = account.password_hash;
  if (!(await isPassword(from, input.currentPassword)) || from === null) {
    await countFailure(ctx, key);
    throw wrongPassword();
  }
  await forgetFailures(ctx, key);
  const to = await hashPassword(input.newPassword);
  await ctx.db.transaction().execute(async (trx) => {
    if (!(await replacePassword(trx, { userId, from, to }))) throw wrongPassword();
    await endCredentials(trx, userId);
    await deleteCodes(trx, key.accountKey);
  });
  tellEnded(ctx, userId);
}

const wrongPassword = () => new ChatError('FORBIDDEN', { message: 'The current password is wrong' });
