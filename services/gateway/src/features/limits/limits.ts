import type { LimitValues } from '@parley/protocol';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { Circuit } from '../../platform/rate-limit/circuit.ts';
import { Limiter, windowName, type LimiterOptions, type LimitParts } from '../../platform/rate-limit/limiter.ts';
import { Sweeper } from '../../platform/rate-limit/local-windows.ts';
import { RateRefusal } from '../../platform/rate-limit/refusal.ts';
import { Turnstile } from '../../platform/rate-limit/turnstile.ts';
import { peerTopic, type Peers } from '../../platform/peers/peers.ts';
import type { RedisClients } from '../../platform/redis/clients.ts';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import { endAfterAnswers } from '../../platform/sockets/leaving.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { Abuse } from './abuse.ts';
import { SendLimit } from './sends.ts';

const UNMUTED = peerTopic<{ userId: string; roomId: string }>('limits:unmuted');

/** What users may do how often (contract, section 8), counted over all replicas; per gateway while Redis is away. */
export interface Limits {
  /**
   * Asks whether a user may send a message to a room now. Undefined: yes; a promise: it depends.
   *
   * @throws RateRefusal, MutedRefusal (the promise rejects with them, too)
   */
  message(userId: string, roomId: string): Promise<void> | undefined;
  /** The ends of the mutes that refusals have brought about, ms since the epoch, of those rooms where there is one. */
  mutedUntil(userId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Ends such a mute, at all gateways. */
  unmute(userId: string, roomId: string): Promise<void>;
  /** Whether `typing:start` of a user in a room is to be passed on. Does not throw, and a no is no refusal. */
  typing(userId: string, roomId: string): Promise<boolean>;
  /** @throws RateRefusal */
  requireJoin(userId: string): Promise<void>;
  /**
   * Makes a room; one that does not come into being does not count.
   *
   * @throws RateRefusal, and what `make` throws
   */
  makeRoom<T>(userId: string, make: () => Promise<T>): Promise<T>;
  /**
   * For the doors: a request was answered with a refusal. Too many end the sessions that went on.
   *
   * @param socket absent for REST
   */
  refused(userId: string, socket?: ChatSocket): void;
}

export interface OpenLimits extends Limits {
  /** What further limits (those of REST) stand on. */
  readonly parts: LimitParts;
  stop(): void;
}

export interface LimitsOptions {
  limits: LimitValues;
  redis: RedisClients;
  keys: RedisKeys;
  peers: Peers;
  metrics: Metrics;
  log: Log;
}

export function createLimits({ limits, redis, keys, peers, metrics, log }: LimitsOptions): OpenLimits {
  const now = (): number => performance.now();
  const circuit = new Circuit({
    now,
    onOpen: (error) => log.warn({ err: error }, 'rates are counted by this gateway alone'),
    onClose: () => log.info('rates are counted over all gateways again'),
  });
  const sweeper = new Sweeper(now);
  const parts: LimitParts = { redis: redis.commands, circuit, turnstile: new Turnstile(), sweeper, metrics, now };
  const sends = new SendLimit({
    ...parts,
    keys,
    rates: {
      room: limits.RATE_MESSAGES_ROOM,
      user: limits.RATE_MESSAGES_USER,
      refusals: limits.MUTE_FOR === null ? null : limits.MUTE_AFTER,
      muteForMs: limits.MUTE_FOR ?? 0,
    },
  });
  peers.on(UNMUTED, ({ userId, roomId }) => sends.unmuted(userId, roomId));
  const limiterOf = (name: string, rate: LimitValues['RATE_JOIN'], keyOf: LimiterOptions['keyOf']) =>
    rate ? new Limiter({ ...parts, name, rate, keyOf }) : undefined;
  const joins = limiterOf('join', limits.RATE_JOIN, (userId, name) => keys.rateOf(userId, name));
  const rooms = limiterOf('room_create', limits.RATE_ROOM_CREATE, (userId, name) => keys.rateOf(userId, name));
  const typing = limiterOf('typing', limits.RATE_TYPING, (place, name) => {
    const [roomId = '', userId = ''] = place.split(' ');
    return keys.rateOf(userId, `${name}:${roomId}`);
  });
  const rate = limits.RATE_ABUSE;
  const abuse = rate
    ? new Abuse<ChatSocket>({
        ...parts,
        rate,
        keyOf: (userId) => keys.rateOf(userId, windowName('abuse', rate)),
        end: (socket) => endAfterAnswers(socket, 'RATE_ABUSE', 'Too many refused requests', rate.windowMs),
      })
    : undefined;

  return {
    parts,
    message: (userId, roomId) => sends.admit(userId, roomId),
    mutedUntil: (userId, roomIds) => sends.mutedUntil(userId, roomIds),
    async unmute(userId, roomId) {
      await sends.unmute(userId, roomId);
      await peers.askAll(UNMUTED, { userId, roomId });
    },
    typing: async (userId, roomId) => (await typing?.take(`${roomId} ${userId}`))?.passed ?? true,
    async requireJoin(userId) {
      const taken = await joins?.take(userId);
      if (taken?.passed === false) throw new RateRefusal('Too many joins', taken.waitMs);
    },
    async makeRoom(userId, make) {
      const taken = await rooms?.take(userId);
      if (taken?.passed === false) throw new RateRefusal('Too many new rooms', taken.waitMs);
      try {
        return await make();
      } catch (error) {
        taken?.giveBack();
        throw error;
      }
    },
    refused: (userId, socket) => abuse?.count(userId, socket),
    stop() {
      sweeper.stop();
      abuse?.stop();
    },
  };
}
