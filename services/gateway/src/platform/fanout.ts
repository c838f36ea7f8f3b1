import type { Broadcast, Payload } from '@parley/protocol';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { RedisClients } from './redis/clients.ts';
import type { ChatServer, ChatSocket } from './sockets/types.ts';

/**
 * Names of Socket.IO rooms. The sharded adapter takes every name of exactly 20 characters for a socket id and sends
 * what goes there to all replicas, so no name of ours may have that length: this one has 41.
 */
const socketRoomOf = (roomId: string): string => `room:${roomId}`;

/**
 * Fan-out of what may be lost and needs no pace: that a room was changed. It goes to the sockets that hear a room, on all
 * replicas, through the Redis adapter, in no order that could be relied on. Who comes, goes and types is gathered at the
 * gateways that hear the room (`peers/room-signals.ts`); messages and their changes go through the streams.
 */
export interface Fanout {
  toRoom<B extends Broadcast>(roomId: string, event: B, payload: Payload<B>): void;
  hear(socket: ChatSocket, roomId: string): void;
  unhear(socket: ChatSocket, roomId: string): void;
  /** Has somebody told of every `hear` and `unhear`; a socket that disconnects is not said to unhear. */
  watch(watcher: HearingWatcher): void;
}

export interface HearingWatcher {
  heard(socket: ChatSocket, roomId: string): void;
  unheard(socket: ChatSocket, roomId: string): void;
}

/** Redis sharded pub/sub: a replica listens to a room's channel only while a socket of its own hears that room. */
export function createFanout(io: ChatServer, redis: RedisClients, channels: string): Fanout {
  const watchers: HearingWatcher[] = [];
  io.adapter(createShardedAdapter(redis.commands, redis.subscriber, { channelPrefix: channels }));
  return {
    toRoom(roomId, event, payload) {
      const target = io.to(socketRoomOf(roomId));
      // The payload belongs to the event by this function's own signature, which the union of all events can't express.
      (target.emit as (name: string, data: unknown) => void).call(target, event.name, payload);
    },
    hear(socket, roomId) {
      void socket.join(socketRoomOf(roomId));
      for (const watcher of watchers) watcher.heard(socket, roomId);
    },
    unhear(socket, roomId) {
      void socket.leave(socketRoomOf(roomId));
      for (const watcher of watchers) watcher.unheard(socket, roomId);
    },
    watch: (watcher) => void watchers.push(watcher),
  };
}
