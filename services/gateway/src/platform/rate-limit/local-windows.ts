import type { Rate } from '@parley/protocol';
import { localWindow, type LocalWindow } from './local-window.ts';

/** How often windows of those who have gone quiet are forgotten, ms. */
const SWEEP_EVERY_MS = 5_000;
/** How long a refusal of Redis is repeated without asking again, ms: a place may be given back before its time. */
const BELIEVED_MS = 1_000;

/**
 * What this gateway knows of a window: the events that it has let pass itself, and until when Redis has said that there
 * is no place.
 *
 * Both go by the moment of the question, which is a little before Redis's: what is full here is full in Redis, so this
 * gateway alone may refuse, and never refuses what Redis would let pass.
 */
export class KnownWindow {
  readonly #window: LocalWindow;
  /** By Redis's last refusal: until when it is not asked again, and when there will be a place. */
  #blockedUntil = 0;
  #fullUntil = 0;
  /** How long Redis took to answer last: so much a wait is underestimated here. */
  #slackMs = 0;

  constructor(rate: Rate) {
    this.#window = localWindow(rate);
  }

  /** How long there is no place for sure, ms; 0: there may be one. */
  wait(now: number): number {
    return Math.max(this.#window.wait(now), this.#blockedUntil - now, 0);
  }

  /** After what time a refused client finds a place, ms. */
  retryAfter(now: number): number {
    return Math.max(this.#window.wait(now), this.#fullUntil - now, 0) + this.#slackMs;
  }

  /** @param now absent when this gateway has decided alone */
  take(askedAt: number, now = askedAt): void {
    this.#window.take(askedAt);
    this.#slackMs = now - askedAt;
  }

  giveBack(askedAt: number): void {
    this.#window.giveBack(askedAt);
    this.#blockedUntil = 0;
    this.#fullUntil = 0;
  }

  /** Redis has refused. */
  block(askedAt: number, waitMs: number, now: number): void {
    this.#blockedUntil = askedAt + Math.min(waitMs, BELIEVED_MS);
    this.#fullUntil = askedAt + waitMs;
    this.#slackMs = now - askedAt;
  }

  isIdle(now: number): boolean {
    return this.#blockedUntil <= now && this.#window.isEmpty(now);
  }
}

/** Sweeps all that forgets, by one timer. */
export class Sweeper {
  readonly #all: { sweep(now: number): void }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(now: () => number) {
    this.#timer = setInterval(() => {
      for (const one of this.#all) one.sweep(now());
    }, SWEEP_EVERY_MS);
    this.#timer.unref();
  }

  add(one: { sweep(now: number): void }): void {
    this.#all.push(one);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Things by key that are forgotten once they are idle: memory is bounded by who was active just now. */
export class Forgetful<T extends { isIdle(now: number): boolean }> {
  readonly #byKey = new Map<string, T>();
  readonly #make: () => T;

  constructor(make: () => T, sweeper: Sweeper) {
    this.#make = make;
    sweeper.add(this);
  }

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  /** Made when it is not there. */
  of(key: string): T {
    const known = this.#byKey.get(key);
    if (known) return known;
    const made = this.#make();
    this.#byKey.set(key, made);
    return made;
  }

  sweep(now: number): void {
    for (const [key, value] of this.#byKey) if (value.isIdle(now)) this.#byKey.delete(key);
  }
}
