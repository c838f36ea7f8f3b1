import type { Rate } from '@parley/protocol';
import type { Redis } from 'ioredis';
import type { Metrics } from '../metrics.ts';
import type { Circuit } from './circuit.ts';
import { Forgetful, KnownWindow, type Sweeper } from './local-windows.ts';
import type { Turnstile } from './turnstile.ts';
import { GIVE_BACK, TAKE } from './windows.lua.ts';

interface LimiterRedis extends Redis {
  parleyTake(key: string, limit: number, windowMs: number): Promise<[passed: 0 | 1, timeOrWait: number]>;
  parleyGiveBack(key: string, limit: number, windowMs: number, time: number): Promise<void>;
}

/** What all limits stand on. */
export interface LimitParts {
  redis: Redis;
  circuit: Circuit;
  turnstile: Turnstile;
  sweeper: Sweeper;
  metrics: Metrics;
  /** Monotonic, ms. */
  now: () => number;
}

export interface LimiterOptions extends LimitParts {
  /** In metrics. */
  name: string;
  rate: Rate;
  /** The Redis key of an owner's window. @param windowName holds the rate, see `windowName` */
  keyOf: (owner: string, windowName: string) => string;
}

/**
 * Names a window for its Redis key. The rate is a part of it, since a window of another rate can't be read by this one's:
 * where a setting is changed, counting begins anew.
 */
export function windowName(name: string, rate: Rate | null): string {
  return rate ? `${name}:${rate.limit}/${rate.windowMs}` : name;
}

export type Taken =
  | {
      passed: true;
      /** Makes the place free again, for what came to nothing. */
      giveBack: () => void;
    }
  | {
      passed: false;
      /** After what time there is a place. */
      waitMs: number;
    };

/**
 * One sliding window an owner, counted by Redis over all replicas. What this gateway knows for sure is refused without
 * asking; while Redis is away it decides alone.
 */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #redis: LimiterRedis;
  readonly #known: Forgetful<KnownWindow>;
  readonly #windowName: string;

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#redis = options.redis as LimiterRedis;
    this.#windowName = windowName(options.name, options.rate);
    if (typeof this.#redis.parleyTake !== 'function') {
      options.redis.defineCommand('parleyTake', { numberOfKeys: 1, lua: TAKE });
      options.redis.defineCommand('parleyGiveBack', { numberOfKeys: 1, lua: GIVE_BACK });
    }
    this.#known = new Forgetful(() => new KnownWindow(options.rate), options.sweeper);
  }

  async take(owner: string): Promise<Taken> {
    const { circuit, turnstile } = this.#options;
    const known = this.#refusedHere(owner);
    if (known) return known;
    if (!circuit.isPassable) return this.#takeAlone(owner);
    const turn = turnstile.enter(owner);
    try {
      if (turn) {
        await turn;
        const learned = this.#refusedHere(owner);
        if (learned) return learned;
      }
      return await this.#ask(owner);
    } finally {
      turnstile.leave(owner);
    }
  }

  #refusedHere(owner: string): Taken | undefined {
    const now = this.#options.now();
    const known = this.#known.find(owner);
    if (!known || known.wait(now) === 0) return undefined;
    return this.#refuse(known.retryAfter(now), 'local');
  }

  async #ask(owner: string): Promise<Taken> {
    const { circuit, rate, keyOf, now } = this.#options;
    const key = keyOf(owner, this.#windowName);
    const askedAt = now();
    let answer: Awaited<ReturnType<LimiterRedis['parleyTake']>>;
    try {
      answer = await circuit.run(() => this.#redis.parleyTake(key, rate.limit, rate.windowMs));
    } catch {
      return this.#refusedHere(owner) ?? this.#takeAlone(owner);
    }
    const [passed, timeOrWait] = answer;
    const known = this.#known.of(owner);
    if (passed === 0) {
      known.block(askedAt, timeOrWait, now());
      return this.#refuse(timeOrWait, 'redis');
    }
    known.take(askedAt, now());
    const giveBack = () => {
      known.giveBack(askedAt);
      this.#redis.parleyGiveBack(key, rate.limit, rate.windowMs, timeOrWait).catch(() => {});
    };
    return { passed: true, giveBack };
  }

  #takeAlone(owner: string): Taken {
    const at = this.#options.now();
    const known = this.#known.of(owner);
    known.take(at);
    return { passed: true, giveBack: () => known.giveBack(at) };
  }

  #refuse(waitMs: number, where: 'redis' | 'local'): Taken {
    const { metrics, name } = this.#options;
    metrics.rateLimited.inc({ limit: name, where });
    return { passed: false, waitMs };
  }
}
