import { roomRemovedEvent } from '@parley/protocol';
import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { peerTopic } from '../../platform/peers/peers.ts';
import { memberWent } from '../presence/status.ts';
import { findOutsiders } from './hearing.sql.ts';

export interface Eviction {
  roomId: string;
  userId: string;
  /** Told to all sockets of the user. Absent: nothing is told, since the membership did not end by this. */
  reason?: 'left' | 'removed' | 'banned';
}

const EVICT = peerTopic<Eviction>('hearing:evict');

/**
 * When not all gateways have answered in time, those that were not reached find out by themselves, from PostgreSQL, by
 * their next comparison of heads. `askAll` has waited longer than the time between two; this is for the queries, ms.
 */
const QUERIES_MS = 500;
/** How long what PostgreSQL says of ended memberships waits for who ended them to say so, ms: usually that comes first. */
const GRACE_MS = 200;

/** Lets other gateways have this one's sockets evicted. */
export function openEvictions(ctx: Context): void {
  ctx.peers.on(EVICT, (eviction) => evictHere(ctx, eviction));
}

/**
 * Takes a room from all sockets of a user, at all gateways. To be called after the commit that ended the membership, and
 * awaited before its answer: then nothing of the room reaches them any more.
 */
export async function evict(ctx: Context, eviction: Eviction): Promise<void> {
  if (!(await ctx.peers.askAll(EVICT, eviction))) await pause(QUERIES_MS);
}

/**
 * In one go, so that nothing of the room comes after `room:removed`. It is emitted and not told, since that writes at
 * once, and before it what waits to be written together; the answer to whoever removes must not overtake it.
 */
function evictHere(ctx: Context, { roomId, userId, reason }: Eviction): void {
  for (const socket of ctx.sockets.ofUser(userId)) {
    ctx.streams.evict(socket, roomId);
    ctx.fanout.unhear(socket, roomId);
    if (reason) socket.emit(roomRemovedEvent.name, { roomId, reason });
  }
  ctx.typing.removed(roomId, userId);
  ctx.readNews.removed(roomId, userId);
}

/**
 * Memberships have ended in these rooms, as PostgreSQL says: evicts those of their hearers who are no members any more.
 * For what this gateway was not told, because it or Redis was away.
 */
export async function evictOutsiders(ctx: Context, roomIds: readonly string[]): Promise<void> {
  await pause(GRACE_MS);
  const pairs = roomIds.flatMap((roomId) => {
    const userIds = ctx.streams.everybodyIn(roomId).map((socket) => socket.data.identity.user.id);
    return [...new Set(userIds)].map((userId) => ({ roomId, userId }));
  });
  for (const { roomId, userId, isBanned } of await findOutsiders(ctx.db, pairs)) {
    evictHere(ctx, { roomId, userId, reason: isBanned ? 'banned' : 'removed' });
    void memberWent(ctx, roomId, userId);
  }
}
