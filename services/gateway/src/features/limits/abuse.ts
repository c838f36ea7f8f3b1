import type { Rate } from '@parley/protocol';
import type { Redis } from 'ioredis';
import { Forgetful } from '../../platform/rate-limit/local-windows.ts';
import type { LimitParts } from '../../platform/rate-limit/limiter.ts';
import { localWindow, type LocalWindow } from '../../platform/rate-limit/local-window.ts';
import { COUNT } from '../../platform/rate-limit/windows.lua.ts';

/** How often refusals are told to Redis, ms: one command a user then, however many there were. */
const REPORT_EVERY_MS = 200;

interface AbuseRedis extends Redis {
  parleyCount(key: string, limit: number, windowMs: number, count: number): Promise<number>;
}

export interface AbuseOptions<Offender> extends LimitParts {
  rate: Rate;
  keyOf: (userId: string) => string;
  /** Told once of each offender that went on until the user's refusals were too many. */
  end: (offender: Offender) => void;
}

/**
 * Counts the refusals of a user over all replicas. When they are too many, every socket of the user ends that was refused
 * within the window: those that went on, not the telephone in the pocket. While they are too many each further refusal
 * ends its socket.
 *
 * The refusals at this gateway count at once, those at others once they are reported.
 */
export class Abuse<Offender> {
  readonly #options: AbuseOptions<Offender>;
  readonly #redis: AbuseRedis;
  readonly #users: Forgetful<Refused<Offender>>;
  readonly #unreported = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #isReporting = false;

  constructor(options: AbuseOptions<Offender>) {
    this.#options = options;
    this.#redis = options.redis as AbuseRedis;
    options.redis.defineCommand('parleyCount', { numberOfKeys: 1, lua: COUNT });
    this.#users = new Forgetful(() => new Refused<Offender>(options.rate), options.sweeper);
    this.#timer = setInterval(() => void this.#report(), REPORT_EVERY_MS);
    this.#timer.unref();
  }

  /** Another refusal. @param offender what ends, if it comes to that; absent for REST */
  count(userId: string, offender?: Offender): void {
    const now = this.#options.now();
    const refused = this.#users.of(userId);
    refused.window.take(now);
    if (offender !== undefined) refused.offenders.add(offender);
    if (refused.window.wait(now) > 0 || refused.fullUntil > now) this.#end(refused);
    this.#unreported.set(userId, (this.#unreported.get(userId) ?? 0) + 1);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What can't be reported now is dropped: it is old by the time that Redis is back. */
  async #report(): Promise<void> {
    if (this.#isReporting || this.#unreported.size === 0) return;
    this.#isReporting = true;
    const reports = [...this.#unreported];
    this.#unreported.clear();
    const { circuit, rate, keyOf, now } = this.#options;
    const tell = async ([userId, count]: [string, number]): Promise<void> => {
      const fullMs = await circuit.run(() => this.#redis.parleyCount(keyOf(userId), rate.limit, rate.windowMs, count));
      const refused = this.#users.find(userId);
      if (fullMs === 0 || !refused) return;
      refused.fullUntil = now() + fullMs;
      this.#end(refused);
    };
    await Promise.allSettled(reports.map(tell));
    this.#isReporting = false;
  }

  #end(refused: Refused<Offender>): void {
    for (const offender of refused.offenders) this.#options.end(offender);
    refused.offenders.clear();
  }
}

/** The refusals of a user here. */
class Refused<Offender> {
  readonly window: LocalWindow;
  readonly offenders = new Set<Offender>();
  /** Until when, by all replicas together, they are too many. */
  fullUntil = 0;

  constructor(rate: Rate) {
    this.window = localWindow(rate);
  }

  isIdle(now: number): boolean {
    return this.fullUntil <= now && this.window.isEmpty(now);
  }
}
