import type { Rate } from '@parley/protocol';
import type { Redis } from 'ioredis';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import { windowName, type LimitParts } from '../../platform/rate-limit/limiter.ts';
import { localWindow, type LocalWindow } from '../../platform/rate-limit/local-window.ts';
import { Forgetful, KnownWindow } from '../../platform/rate-limit/local-windows.ts';
import { MutedRefusal, RateRefusal } from '../../platform/rate-limit/refusal.ts';
import { sendScript, type SendRates, type SendRefusal } from './sends.lua.ts';

interface SendRedis extends Redis {
  parleySend(room: string, user: string, refusals: string, mute: string): Promise<0 | SendRefusal>;
}

export interface SendLimitOptions extends LimitParts {
  keys: RedisKeys;
  rates: SendRates;
}

type Where = 'redis' | 'local';

/**
 * The rates of messages, and the mute of those who go on when refused. Redis decides, with one script a send. This
 * gateway alone refuses what it knows to be refused, and decides alone while Redis is away.
 *
 * A refusal that counts towards a mute is Redis's, so that the mute comes after exactly so many over all replicas; the
 * mute itself is known here, and a flood that goes on during it never reaches Redis.
 */
export class SendLimit {
  readonly #options: SendLimitOptions;
  readonly #redis: SendRedis;
  readonly #users: Forgetful<KnownWindow>;
  readonly #rooms: Forgetful<InRoom>;
  readonly #names: Readonly<Record<'room' | 'user' | 'refused', string>>;

  constructor(options: SendLimitOptions) {
    const { rates, sweeper } = options;
    this.#options = options;
    this.#redis = options.redis as SendRedis;
    this.#names = {
      room: windowName('room', rates.room),
      user: windowName('user', rates.user),
      refused: windowName('refused', rates.refusals),
    };
    options.redis.defineCommand('parleySend', { numberOfKeys: 4, lua: sendScript(rates) });
    this.#users = new Forgetful(() => new KnownWindow(rates.user ?? UNBOUNDED), sweeper);
    this.#rooms = new Forgetful(() => new InRoom(rates.room), sweeper);
  }

  /**
   * Returns when the message may be sent: at once when all is decided here.
   *
   * @throws RateRefusal, MutedRefusal (asynchronously too)
   */
  admit(userId: string, roomId: string): Promise<void> | undefined {
    const { circuit, rates } = this.#options;
    if (!rates.room && !rates.user) return undefined;
    this.#refuseKnown(userId, roomId);
    if (circuit.isPassable) return this.#ask(userId, roomId);
    this.#decideAlone(userId, roomId);
    return undefined;
  }

  /** The ends of the automatic mutes of a user, ms since the epoch, of those rooms where there is one. */
  async mutedUntil(userId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rates, keys } = this.#options;
    if (!rates.refusals || roomIds.length === 0) return new Map();
    const ends = await this.#redis
      .mget(roomIds.map((roomId) => keys.rateOf(userId, `muted:${roomId}`)))
      .catch(() => roomIds.map((roomId) => this.#rooms.find(keyOf(userId, roomId))?.mutedUntilEpoch ?? 0));
    return new Map(
      roomIds.flatMap((roomId, index): [string, number][] => {
        const end = Number(ends[index] ?? 0);
        return end > Date.now() ? [[roomId, end]] : [];
      }),
    );
  }

  /** Ends the automatic mute of a user in a room, in Redis. */
  async unmute(userId: string, roomId: string): Promise<void> {
    await this.#redis.del(this.#options.keys.rateOf(userId, `muted:${roomId}`)).catch(() => {}); // it ends by itself
  }

  /** The automatic mute of a user in a room was lifted: this gateway forgets it. */
  unmuted(userId: string, roomId: string): void {
    this.#rooms.find(keyOf(userId, roomId))?.unmute();
  }

  async #ask(userId: string, roomId: string): Promise<void> {
    const { turnstile, circuit, keys, now } = this.#options;
    const turn = turnstile.enter(userId);
    try {
      if (turn) {
        await turn;
        this.#refuseKnown(userId, roomId);
      }
      const names = this.#names;
      const askedAt = now();
      const answer = await circuit
        .run(() =>
          this.#redis.parleySend(
            keys.rateOf(userId, `${names.room}:${roomId}`),
            keys.rateOf(userId, names.user),
            keys.rateOf(userId, `${names.refused}:${roomId}`),
            keys.rateOf(userId, `muted:${roomId}`),
          ),
        )
        .catch(() => undefined);
      if (answer === undefined) this.#decideAlone(userId, roomId);
      else this.#learn(userId, roomId, answer, askedAt);
    } finally {
      turnstile.leave(userId);
    }
  }

  #learn(userId: string, roomId: string, answer: 0 | SendRefusal, askedAt: number): void {
    const { now, metrics } = this.#options;
    const user = this.#users.of(userId);
    const room = this.#rooms.of(keyOf(userId, roomId));
    if (answer === 0) {
      user.take(askedAt, now());
      room.window.take(askedAt, now());
      return;
    }
    const [wasMuted, mutedUntil, muteMs, roomWaitMs, userWaitMs] = answer;
    if (muteMs > 0) room.mute(askedAt + muteMs, mutedUntil, now() - askedAt);
    if (wasMuted === 1) this.#refuseMuted(mutedUntil, muteMs, 'redis');
    if (muteMs > 0) metrics.muted.inc();
    else room.countRefusal(this.#options.rates.refusals, askedAt);
    if (userWaitMs > 0) user.block(askedAt, userWaitMs, now());
    if (roomWaitMs > 0) room.window.block(askedAt, roomWaitMs, now());
    this.#refuse(roomWaitMs, userWaitMs, { muteMs, mutedUntil, where: 'redis' });
  }

  /** Throws when it is certain without Redis that the send is refused, and that nobody has to count it. */
  #refuseKnown(userId: string, roomId: string): void {
    const now = this.#options.now();
    const room = this.#rooms.find(keyOf(userId, roomId));
    if (room && room.mutedUntil > now) this.#refuseMuted(room.mutedUntilEpoch, room.muteWait(now), 'local');
    if (this.#options.rates.refusals) return;
    const user = this.#users.find(userId);
    if ((user?.wait(now) ?? 0) > 0 || (room?.window.wait(now) ?? 0) > 0) {
      this.#refuse(room?.window.retryAfter(now) ?? 0, user?.retryAfter(now) ?? 0, { where: 'local' });
    }
  }

  #decideAlone(userId: string, roomId: string): void {
    const { rates, metrics } = this.#options;
    const now = this.#options.now();
    const user = this.#users.of(userId);
    const room = this.#rooms.of(keyOf(userId, roomId));
    if (room.mutedUntil > now) this.#refuseMuted(room.mutedUntilEpoch, room.muteWait(now), 'local');
    if (user.wait(now) === 0 && room.window.wait(now) === 0) {
      user.take(now);
      room.window.take(now);
      return;
    }
    const waits = [room.window.retryAfter(now), user.retryAfter(now)] as const;
    if (!room.countRefusal(rates.refusals, now)) this.#refuse(...waits, { where: 'local' });
    room.mute(now + rates.muteForMs, Date.now() + rates.muteForMs);
    metrics.muted.inc();
    this.#refuse(...waits, { muteMs: rates.muteForMs, mutedUntil: room.mutedUntilEpoch, where: 'local' });
  }

  #refuseMuted(until: number, waitMs: number, where: Where): never {
    this.#options.metrics.rateLimited.inc({ limit: 'muted', where });
    throw new MutedRefusal(until, waitMs);
  }

  /** Names the window that is free last; a mute that has just begun lasts longer than either, as a rule. */
  #refuse(
    roomWaitMs: number,
    userWaitMs: number,
    { muteMs = 0, mutedUntil, where }: { muteMs?: number; mutedUntil?: number; where: Where },
  ): never {
    const isRoom = roomWaitMs >= userWaitMs;
    this.#options.metrics.rateLimited.inc({ limit: isRoom ? 'messages_room' : 'messages_user', where });
    throw new RateRefusal(
      isRoom ? 'Too many messages to this room' : 'Too many messages',
      Math.max(roomWaitMs, userWaitMs, muteMs),
      muteMs > 0 ? mutedUntil : undefined,
    );
  }
}

/** Stands for a window that is off: it never fills, and keeps a handful of numbers. */
const UNBOUNDED: Rate = { limit: Number.MAX_SAFE_INTEGER, windowMs: 1_000 };

const keyOf = (userId: string, roomId: string): string => `${roomId} ${userId}`;

/** What this gateway knows of a user in a room. */
class InRoom {
  readonly window: KnownWindow;
  /** The end of the mute by this gateway's clock, and since the epoch as clients are told. */
  mutedUntil = 0;
  mutedUntilEpoch = 0;
  #slackMs = 0;
  #refusals: LocalWindow | undefined;

  constructor(rate: Rate | null) {
    this.window = new KnownWindow(rate ?? UNBOUNDED);
  }

  /** @returns whether it was one too many */
  countRefusal(rate: Rate | null, at: number): boolean {
    if (!rate) return false;
    this.#refusals ??= localWindow(rate);
    this.#refusals.take(at);
    return this.#refusals.wait(at) > 0;
  }

  unmute(): void {
    this.mutedUntil = 0;
    this.mutedUntilEpoch = 0;
  }

  /** How long a refused client has to wait, ms. */
  muteWait(now: number): number {
    return this.mutedUntil - now + this.#slackMs;
  }

  /**
   * What has led to the mute is forgotten with it.
   *
   * @param slackMs by so much it may end later in Redis, which has decided a little after it was asked
   */
  mute(until: number, untilEpoch: number, slackMs = 0): void {
    this.mutedUntil = until;
    this.mutedUntilEpoch = untilEpoch;
    this.#slackMs = slackMs;
    this.#refusals = undefined;
  }

  isIdle(now: number): boolean {
    return this.mutedUntil <= now && this.window.isIdle(now) && (this.#refusals?.isEmpty(now) ?? true);
  }
}
