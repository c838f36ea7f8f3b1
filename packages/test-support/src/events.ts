import { deferred, within } from './deferred.ts';
import { eventually } from './eventually.ts';

/**
 * What can be listened to: EventEmitter of Node, sockets of socket.io-client, ioredis. `never`, since that fits every
 * typed set of events; which event it is and what it carries is the caller's word.
 */
export interface Emitter {
  on(event: never, listener: never): unknown;
  off(event: never, listener: never): unknown;
}

export interface Recorder<T> {
  /** The first argument of every event so far, in the order they came. */
  readonly items: readonly T[];
  /** The first item, past or to come, that passes. Throws after `timeoutMs` (default 10 s). */
  find: (passes: (item: T) => boolean, timeoutMs?: number) => Promise<T>;
  /** Resolves once there are that many items, or more. Throws after `timeoutMs` (default 10 s). */
  count: (atLeast: number, timeoutMs?: number) => Promise<readonly T[]>;
  stop: () => void;
}

/** Records an event from now on, so that nothing is missed between two waits. */
export function collect<T>(emitter: Emitter, event: string): Recorder<T> {
  const items: T[] = [];
  const listener = (item: unknown) => {
    items.push(item as T);
  };
  emitter.on(event as never, listener as never);
  return {
    items,
    find: (passes, timeoutMs = 10_000) =>
      eventually(
        () => {
          const found = items.find(passes);
          if (found === undefined) throw new Error(`${items.length} came, none of them passed`);
          return found;
        },
        { timeoutMs, message: `waiting for a certain ${event}` },
      ),
    count: (atLeast, timeoutMs = 10_000) =>
      eventually(
        () => {
          if (items.length < atLeast) throw new Error(`${items.length} came`);
          return items;
        },
        { timeoutMs, message: `waiting for ${atLeast} times ${event}` },
      ),
    stop: () => {
      emitter.off(event as never, listener as never);
    },
  };
}

/** The first argument of the next such event. Throws after `timeoutMs` (default 10 s). Listens from the call on. */
export async function nextEvent<T>(emitter: Emitter, event: string, timeoutMs?: number): Promise<T> {
  const next = deferred<T>();
  const listener = (item: unknown) => {
    next.resolve(item as T);
  };
  emitter.on(event as never, listener as never);
  try {
    return await within(next.promise, `the event ${event}`, timeoutMs);
  } finally {
    emitter.off(event as never, listener as never);
  }
}
