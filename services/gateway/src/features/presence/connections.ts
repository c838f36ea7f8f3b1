import type { Redis } from 'ioredis';
import type { Context } from '../../context.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { ADMIT, RELEASE } from './connections.lua.ts';
import { touchLastSeen } from './presence.sql.ts';

/** How long a connection counts after its gateway last said so, ms; and how often a gateway says so, ms. */
const LEASE_MS = 25_000;
const RENEW_EVERY_MS = 10_000;
const RENEW_CHUNK = 500;

interface PresenceRedis extends Redis {
  parleyAdmit(
    connections: string,
    online: string,
    id: string,
    userId: string,
    leaseMs: number,
    most: number,
  ): Promise<number>;
  parleyRelease(connections: string, online: string, id: string, userId: string): Promise<number>;
}

/** Teaches the client the scripts; ioredis sends them by hash afterwards. */
function scripted(ctx: Context): PresenceRedis {
  const redis = ctx.redis.commands as PresenceRedis;
  if (typeof redis.parleyAdmit !== 'function') {
    redis.defineCommand('parleyAdmit', { numberOfKeys: 2, lua: ADMIT });
    redis.defineCommand('parleyRelease', { numberOfKeys: 2, lua: RELEASE });
  }
  return redis;
}

/**
 * Counts a new connection of a user over all replicas.
 *
 * @returns false when the user has `MAX_CONNECTIONS_PER_USER` already. With Redis away this gateway's own sockets are
 *   counted instead.
 */
export async function admitConnection(ctx: Context, socket: ChatSocket): Promise<boolean> {
  const { id: userId } = socket.data.identity.user;
  const most = ctx.config.limits.MAX_CONNECTIONS_PER_USER;
  try {
    const admitted = await scripted(ctx).parleyAdmit(
      ctx.keys.connectionsOf(userId),
      ctx.keys.online,
      socket.id,
      userId,
      LEASE_MS,
      most ?? -1,
    );
    return admitted === 1;
  } catch {
    return most === null || ctx.sockets.ofUser(userId).size < most;
  }
}

/** Forgets a connection; the user's last one is the moment of being seen last. */
export async function releaseConnection(ctx: Context, socket: ChatSocket): Promise<void> {
  const { id: userId } = socket.data.identity.user;
  const left = await scripted(ctx)
    .parleyRelease(ctx.keys.connectionsOf(userId), ctx.keys.online, socket.id, userId)
    .catch(() => ctx.sockets.ofUser(userId).size);
  if (left === 0) await touchLastSeen(ctx.db, userId);
}

/** The users of the given ones that have a connection somewhere. Nobody is known to be online while Redis is away. */
export async function onlineAmong(ctx: Context, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (userIds.length === 0) return new Set();
  const now = Date.now();
  try {
    const ends = await ctx.redis.commands.zmscore(ctx.keys.online, ...userIds);
    return new Set(userIds.filter((_, index) => Number(ends[index] ?? 0) > now));
  } catch {
    return new Set(userIds.filter((userId) => ctx.sockets.ofUser(userId).size > 0));
  }
}

/** Renews the leases of this gateway's connections until stopped; after a loss of Redis this is what restores them. */
export function keepConnections(ctx: Context): { stop(): void } {
  const timer = setInterval(() => void renewAll(ctx), RENEW_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

async function renewAll(ctx: Context): Promise<void> {
  const redis = scripted(ctx);
  const sockets = [...ctx.sockets.all()];
  for (let from = 0; from < sockets.length; from += RENEW_CHUNK) {
    // Released ones are passed over: a renewal that came after the release would bring a ghost back for one lease.
    const chunk = sockets.slice(from, from + RENEW_CHUNK).filter((socket) => socket.connected);
    const renewals = chunk.map((socket) => {
      const userId = socket.data.identity.user.id;
      return redis.parleyAdmit(ctx.keys.connectionsOf(userId), ctx.keys.online, socket.id, userId, LEASE_MS, -1);
    });
    await Promise.allSettled(renewals);
  }
}
