import type { User } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { peerTopic } from '../../platform/peers/peers.ts';
import { findUser, updateProfile } from './users.sql.ts';
import { toUser } from './view.ts';

const RENAMED = peerTopic<{ id: string; name: string }>('users:renamed');

/** Lets the sockets of this gateway take over the names that their users are given, here or elsewhere. */
export function hearRenames(ctx: Context): void {
  ctx.peers.on(RENAMED, ({ id, name }) => {
    for (const socket of ctx.sockets.ofUser(id)) socket.data.identity = { ...socket.data.identity, user: { id, name } };
  });
}

/** A user has another name: what its sockets show of it from now on, such as who types, bears that one. */
export function tellRenamed(ctx: Context, { id, name }: { id: string; name: string }): void {
  ctx.peers.tellAll(RENAMED, { id, name });
}

/** @throws ChatError `NOT_FOUND` */
export async function loadUser(ctx: Context, userId: string): Promise<User> {
  const [row, online] = await Promise.all([findUser(ctx.db, userId), ctx.presence.onlineAmong([userId])]);
  if (!row) throw new ChatError('NOT_FOUND');
  return toUser(row, online.has(userId));
}

/** @throws ChatError `NOT_FOUND` */
export async function requireUser({ db }: Pick<Context, 'db'>, userId: string): Promise<void> {
  if (!(await findUser(db, userId))) throw new ChatError('NOT_FOUND', { message: 'There is no such user' });
}

export async function getMe(ctx: Context, actor: Identity): Promise<{ user: User }> {
  return { user: await loadUser(ctx, actor.user.id) };
}

/** Changes what is given; an empty string removes an optional text. */
export async function patchMe(
  ctx: Context,
  actor: Identity,
  changes: { name?: string | undefined; avatarUrl?: string | undefined; statusText?: string | undefined },
): Promise<{ user: User }> {
  const set = {
    ...(changes.name !== undefined && { name: changes.name }),
    ...(changes.avatarUrl !== undefined && { avatar_url: changes.avatarUrl || null }),
    ...(changes.statusText !== undefined && { status_text: changes.statusText || null }),
  };
  if (Object.keys(set).length === 0) return getMe(ctx, actor);
  const [row, online] = await Promise.all([
    updateProfile(ctx.db, actor.user.id, set),
    ctx.presence.onlineAmong([actor.user.id]),
  ]);
  if (!row) throw new ChatError('NOT_FOUND');
  if (changes.name !== undefined) tellRenamed(ctx, row);
  ctx.presence.statusChanged(row.id);
  return { user: toUser(row, online.has(row.id)) };
}
