import { isUniqueViolation } from '@parley/database';
import type { User } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { onlineAmong } from '../presence/connections.ts';
import { toUser } from '../users/view.ts';
import { findAccount, insertAccount } from './accounts.sql.ts';
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

/** @throws ChatError `UNAUTHORIZED`, the same for an unknown user, a wrong password and a banned account */
export async function login(
  ctx: Context,
  tokens: Tokens,
  input: { username: string; password: string },
): Promise<LoggedIn> {
  const account = await findAccount(ctx.db, input.username);
  const isRight = await isPassword(account?.password_hash, input.password);
  if (!account || !isRight || account.banned_at !== null) {
    throw new ChatError('UNAUTHORIZED', { message: 'Wrong username or password' });
  }
  const online = await onlineAmong(ctx, [account.id]);
  return { user: toUser(account, online.has(account.id)), login: await openSession(ctx, tokens, account) };
}
