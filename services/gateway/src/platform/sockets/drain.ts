import { setTimeout as delay } from 'node:timers/promises';
import { endSession } from './ending.ts';
import type { SocketRegistry } from './registry.ts';

/** The longest that a client is asked to wait before it comes back: its own back-off starts at once otherwise. */
const MAX_AFTER_MS = 1_000;

/** How long clients have to fetch what they were told; long-polling ones come for it with their next request, ms. */
const LAST_POLL_MS = 3_000;
const LOOK_EVERY_MS = 20;

export interface DrainOptions {
  /** Over which the sockets are sent away, ms. */
  drainMs: number;
  /** For so long the proxy may still send new ones here, ms. */
  noticeMs: number;
  /** How many transports are open. */
  open: () => number;
}

/**
 * Sends all sockets elsewhere, one after another and evenly over `drainMs`, so that the other replicas are not met by
 * all of them at once. Sockets that join meanwhile are sent away as well, and nobody is cut off untold: it is over when
 * the proxy knows and the last transport is closed. Over at once when nobody was here.
 */
export async function drainSockets(sockets: SocketRegistry, { drainMs, noticeMs, open }: DrainOptions): Promise<void> {
  const startedAt = Date.now();
  const noticedAt = open() === 0 ? startedAt : startedAt + noticeMs;
  const endsAt = startedAt + drainMs;
  while (Date.now() < Math.max(endsAt, noticedAt) + LAST_POLL_MS) {
    const leftMs = endsAt - Date.now();
    endSome(sockets, leftMs <= 0 ? sockets.size : 1);
    if (sockets.size === 0 && open() === 0 && Date.now() >= noticedAt) return;
    await delay(sockets.size > 0 ? Math.max(0, leftMs / (sockets.size + 1)) : LOOK_EVERY_MS);
  }
}

function endSome(sockets: SocketRegistry, count: number): void {
  let ended = 0;
  for (const socket of sockets.all()) {
    if (ended >= count) return;
    endSession(socket, 'SERVER_DRAIN', 'This replica restarts', Math.floor(Math.random() * MAX_AFTER_MS));
    sockets.remove(socket);
    ended += 1;
  }
}
