import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';

/** The longest pause before an attempt doubles with each, from the first to the last, as libraries have it by default. */
export interface BackOff {
  firstMs: number;
  longestMs: number;
}

export const BACK_OFF: BackOff = { firstMs: 1_000, longestMs: 5_000 };

export interface ComeBackOptions {
  backOff: BackOff;
  /** Nobody waits for it any more. */
  isOver: () => boolean;
  failed: (reason: string) => void;
}

/**
 * Does what a client does that has lost its connection: waits for a fully random part of the pause, connects anew, and
 * syncs its room from the last message it heard on.
 *
 * @returns whether it is back
 */
export async function comeBack(client: Client, { backOff, isOver, failed }: ComeBackOptions): Promise<boolean> {
  for (let failures = 0; ; failures += 1) {
    await sleep(Math.random() * Math.min(backOff.longestMs, backOff.firstMs * 2 ** failures));
    if (isOver()) return false;
    try {
      await client.open('sync');
      return true;
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }
}
