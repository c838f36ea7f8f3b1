import type { RedisClients } from './clients.ts';

/** The longest that opening waits for Redis to confirm, ms. Past it Redis counts as away: heads are compared instead. */
const CONFIRM_TIMEOUT_MS = 1_000;

const SPACE = 0x20;

export interface RoomChannel {
  open(roomId: string): Promise<void>;
  close(roomId: string): void;
  /** From the moment it opens until it closes. */
  isOpen(roomId: string): boolean;
  /** Best effort: a publish that fails is found by the other gateways when they compare heads. */
  publish(roomId: string, payload: string): void;
}

export interface RoomChannelOptions {
  redis: RedisClients;
  /** This gateway, without spaces: what it has published itself comes back to it and is dropped. */
  name: string;
  /** The channel of a room. */
  channelOf: (roomId: string) => string;
  /** What another gateway has published, in UTF-8. */
  onPayload: (roomId: string, payload: Buffer) => void;
  /** Nothing of the room arrives from now on. */
  onClose: (roomId: string) => void;
  /** The connection was lost and is back: what was published in between is not known. */
  onReturn: () => void;
}

/** One sharded pub/sub channel a room (Redis 7): a gateway gets only what concerns its own hearers. */
export function createRoomChannel({
  redis,
  name,
  channelOf,
  onPayload,
  onClose,
  onReturn,
}: RoomChannelOptions): RoomChannel {
  const own = `${name} `;
  const roomOf = new Map<string, string>();
  redis.subscriber.on('smessageBuffer', (channel: Buffer, payload: Buffer) => {
    const roomId = roomOf.get(channel.toString());
    if (roomId === undefined || payload.toString('latin1', 0, own.length) === own) return;
    onPayload(roomId, payload.subarray(payload.indexOf(SPACE) + 1));
  });
  redis.subscriber.on('ready', onReturn); // ioredis has subscribed again before it says so

  return {
    async open(roomId) {
      const channel = channelOf(roomId);
      roomOf.set(channel, roomId);
      await withinOrGiveUp(redis.subscriber.ssubscribe(channel), CONFIRM_TIMEOUT_MS);
    },
    close(roomId) {
      const channel = channelOf(roomId);
      roomOf.delete(channel);
      void redis.subscriber.sunsubscribe(channel);
      onClose(roomId);
    },
    isOpen: (roomId) => roomOf.has(channelOf(roomId)),
    publish(roomId, payload) {
      redis.commands.spublish(channelOf(roomId), own + payload).catch(() => {});
    },
  };
}

async function withinOrGiveUp(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  const done = (): void => {};
  await Promise.race([work.then(done, done), promise]);
  clearTimeout(timer);
}
