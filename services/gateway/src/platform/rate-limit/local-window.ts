import type { Rate } from '@parley/protocol';
import { COMPACT_PARTS, EXACT_MAX } from './windows.lua.ts';

/** A sliding window in memory, by the same rules as those in Redis (`windows.lua.ts`). All times in ms, of one clock. */
export interface LocalWindow {
  /** How long until the window has a place; 0: it has one now. */
  wait(now: number): number;
  /** Puts an event into the window. Times may come slightly out of order. */
  take(at: number): void;
  /** Takes an event out again. */
  giveBack(at: number): void;
  /** Whether all its events have left it. */
  isEmpty(now: number): boolean;
}

export function localWindow(rate: Rate): LocalWindow {
  return rate.limit <= EXACT_MAX ? new ExactWindow(rate) : new CompactWindow(rate);
}

class ExactWindow implements LocalWindow {
  readonly #rate: Rate;
  /** Ascending; the latest `limit`. */
  readonly #times: number[] = [];

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  wait(now: number): number {
    const { limit, windowMs } = this.#rate;
    const oldest = this.#times[this.#times.length - limit];
    return oldest === undefined ? 0 : Math.max(0, oldest + windowMs - now);
  }

  take(at: number): void {
    let index = this.#times.length;
    while (index > 0 && (this.#times[index - 1] as number) > at) index -= 1;
    this.#times.splice(index, 0, at);
    if (this.#times.length > this.#rate.limit) this.#times.shift();
  }

  giveBack(at: number): void {
    const index = this.#times.lastIndexOf(at);
    if (index >= 0) this.#times.splice(index, 1);
  }

  isEmpty(now: number): boolean {
    const newest = this.#times.at(-1);
    return newest === undefined || newest + this.#rate.windowMs <= now;
  }
}

interface Part {
  readonly number: number;
  count: number;
}

class CompactWindow implements LocalWindow {
  readonly #rate: Rate;
  readonly #stepMs: number;
  readonly #parts: Part[] = [];

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#stepMs = Math.ceil(rate.windowMs / COMPACT_PARTS);
  }

  wait(now: number): number {
    const inside = this.#parts.filter((part) => this.#leavesAt(part) > now);
    let total = inside.reduce((sum, { count }) => sum + count, 0);
    let wait = 0;
    for (const part of inside) {
      if (total < this.#rate.limit) break;
      total -= part.count;
      wait = this.#leavesAt(part) - now;
    }
    return wait;
  }

  take(at: number): void {
    while (this.#parts[0] && this.#leavesAt(this.#parts[0]) <= at) this.#parts.shift();
    const number = Math.floor(at / this.#stepMs);
    const newest = this.#parts.at(-1);
    if (newest && newest.number >= number) newest.count += 1;
    else this.#parts.push({ number, count: 1 });
  }

  giveBack(at: number): void {
    const number = Math.floor(at / this.#stepMs);
    const part = this.#parts.find((one) => one.number === number);
    if (part && part.count > 0) part.count -= 1;
  }

  isEmpty(now: number): boolean {
    const newest = this.#parts.at(-1);
    return newest === undefined || this.#leavesAt(newest) <= now;
  }

  #leavesAt({ number }: Part): number {
    return (number + 1) * this.#stepMs + this.#rate.windowMs;
  }
}
