import type { User } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { toUser } from '../users/view.ts';
import { knownUsers, setStatus } from './presence.sql.ts';

export interface StatusInput {
  status: 'online' | 'away' | 'dnd';
  /** Empty removes it; absent leaves it as it is. */
  statusText?: string | undefined;
}

/**
 * Sets the status that others see while one is connected. It stays for the next connection.
 *
 * @param from the socket that asks: it has the answer, one's other devices are told
 * @throws ChatError `NOT_FOUND` when the user is gone
 */
export async function setPresence(
  ctx: Context,
  actor: Identity,
  { status, statusText }: StatusInput,
  from: ChatSocket,
): Promise<{ user: User }> {
  const userId = actor.user.id;
  const row = await setStatus(ctx.db, userId, {
    chosen_status: status,
    ...(statusText !== undefined && { status_text: statusText || null }),
  });
  if (!row) throw new ChatError('NOT_FOUND');
  ctx.presence.statusChanged(userId, from.id);
  return { user: toUser(row, from.connected) };
}

/** Users with their status, in the order asked for: those one shares a room with, and oneself. */
export async function getPresence(
  ctx: Context,
  actor: Identity,
  userIds: readonly string[],
): Promise<{ users: User[] }> {
  const wanted = [...new Set(userIds)];
  const rows = await knownUsers(ctx.db, actor.user.id, wanted);
  const online = await ctx.presence.onlineAmong(rows.map((row) => row.id));
  const byId = new Map(rows.map((row) => [row.id, toUser(row, online.has(row.id))]));
  return { users: wanted.flatMap((userId) => byId.get(userId) ?? []) };
}

/** A membership was committed: the user is counted as online there, and hears of its members. Never throws. */
export function memberCame(ctx: Context, roomId: string, userId: string): Promise<void> {
  return ctx.presence.memberChanged(roomId, userId, true);
}

/** A membership has ended. Never throws. */
export function memberWent(ctx: Context, roomId: string, userId: string): Promise<void> {
  return ctx.presence.memberChanged(roomId, userId, false);
}
