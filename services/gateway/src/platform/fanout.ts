import type { Broadcast, Payload } from '@parley/protocol';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { RedisClients } from './redis/clients.ts';
import type { ChatServer, ChatSocket } from './sockets/types.ts';

/** The longest that a join waits for Redis to confirm the subscription, ms. Past it Redis counts as away. */
const CONFIRM_TIMEOUT_MS = 1_000;

/**
 * Names of Socket.IO rooms. The sharded adapter takes every name of exactly 20 characters for a socket id and sends
 * what goes there to all replicas, so no name of ours may have that length: this one has 41.
 */
const socketRoomOf = (roomId: string): string => `room:${roomId}`;

/** Sends to the sockets that hear a room, on all replicas, and decides who hears it. */
export interface Fanout {
  /** @param except a socket that is told in another way (its acknowledgement) */
  toRoom<B extends Broadcast>(roomId: string, event: B, payload: Payload<B>, except?: ChatSocket): void;
  /**
   * From the moment this resolves, what any replica sends to the room reaches the socket. (Redis confirms a
   * subscription later than Socket.IO's `join` returns; what is published in between would be lost.)
   */
  hear(socket: ChatSocket, roomId: string): Promise<void>;
  unhear(socket: ChatSocket, roomId: string): void;
  hears(socket: ChatSocket, roomId: string): boolean;
}

/**
 * Fan-out by Redis sharded pub/sub: one channel a room, and a replica listens to a channel only while a socket of its
 * own hears that room.
 */
export function createFanout(io: ChatServer, redis: RedisClients, channels: string): Fanout {
  io.adapter(createShardedAdapter(redis.commands, redis.subscriber, { channelPrefix: channels }));
  const confirmed = new Map<string, Promise<unknown>>();
  io.of('/').adapter.on('delete-room', (room: string) => confirmed.delete(room));

  function confirm(room: string): Promise<unknown> {
    let confirmation = confirmed.get(room);
    if (!confirmation) {
      // Subscribing again to the adapter's channel changes nothing in Redis; its answer tells that both are in place.
      confirmation = redis.subscriber.ssubscribe(`${channels}#/#${room}#`);
      confirmed.set(room, confirmation);
      confirmation.catch(() => confirmed.delete(room));
    }
    return confirmation;
  }

  return {
    toRoom(roomId, event, payload, except) {
      const target = io.to(socketRoomOf(roomId));
      const operator = except ? target.except(except.id) : target;
      // The payload belongs to the event by this function's own signature, which the union of all events can't express.
      (operator.emit as (name: string, data: unknown) => void).call(operator, event.name, payload);
    },
    async hear(socket, roomId) {
      const room = socketRoomOf(roomId);
      await socket.join(room);
      await withinOrGiveUp(confirm(room), CONFIRM_TIMEOUT_MS);
    },
    unhear(socket, roomId) {
      void socket.leave(socketRoomOf(roomId));
    },
    hears: (socket, roomId) => socket.rooms.has(socketRoomOf(roomId)),
  };
}

/** With Redis away a join is answered all the same: what is missed then is found when it is back. */
async function withinOrGiveUp(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([
    work.then(
      () => {},
      () => {},
    ),
    promise,
  ]);
  clearTimeout(timer);
}
