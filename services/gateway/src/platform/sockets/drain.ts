import { setTimeout as delay } from 'node:timers/promises';
import { endSession } from './ending.ts';
import type { SocketRegistry } from './registry.ts';

/** The longest that a client is asked to wait before it comes back: its own back-off starts at once otherwise. */
const MAX_AFTER_MS = 1_000;

/** How long clients have to fetch what they were told; long-polling ones come for it with their next request, ms. */
const LAST_POLL_MS = 3_000;
const LOOK_EVERY_MS = 20;

/**
 * Sends all sockets elsewhere, one after another and evenly over `drainMs`, so that the other replicas are not met by
 * all of them at once. Sockets that join meanwhile are sent away as well. Over at once when nobody is here.
 *
 * @param open how many transports are open
 */
export async function drainSockets(sockets: SocketRegistry, drainMs: number, open: () => number): Promise<void> {
  const endsAt = Date.now() + drainMs;
  while (sockets.size > 0) {
    const leftMs = endsAt - Date.now();
    const dueNow = leftMs <= 0 ? sockets.size : 1;
    let ended = 0;
    for (const socket of sockets.all()) {
      endSession(socket, 'SERVER_DRAIN', 'This replica restarts', Math.floor(Math.random() * MAX_AFTER_MS));
      sockets.remove(socket);
      ended += 1;
      if (ended >= dueNow) break;
    }
    if (sockets.size > 0) await delay(Math.max(0, leftMs / (sockets.size + 1)));
  }
  for (let waitedMs = 0; open() > 0 && waitedMs < LAST_POLL_MS; waitedMs += LOOK_EVERY_MS) await delay(LOOK_EVERY_MS);
}
