import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, spawnChild } from './child.ts';
import type { Child, Command } from './child.ts';
import type { LogFile } from './logs.ts';
import { StartError } from './start-error.ts';

// A server of the cluster and its process of the moment.
//
// start() runs the process and waits until it serves; if it ends before, or takes too long, start() throws, and the
// caller takes the cluster down. From then on a process that ends is followed by a new one, on the same port: at once
// after a long life, after a growing pause when lives are short, for ever. A new process counts as up once it serves;
// as long as it runs it is waited for, since a gateway may have to wait for a store. stop() ends all of that: it walks
// down the signals of `stopSteps` until the process is gone.

const LONG_LIFE_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const POLL_MS = 40;

/** What is to be known of a server to keep it up. */
export interface ServiceDefinition {
  /** As in cluster.json and logs/, such as `gateway1`. */
  name: string;
  /** For people, such as `Redis`. */
  title: string;
  log: LogFile;
  command: Command;
  /** Done before every start of the process. */
  prepare?(): Promise<void>;
  /** Asked again and again until it says yes. */
  isReady(child: Child): Promise<boolean>;
  /** How long the first process may take until it is ready. */
  startTimeoutMs: number;
  /** Signals that end it, mildest first, and how long each may take. A forced stop leaves out the first. */
  stopSteps: readonly { signal: NodeJS.Signals; forMs: number }[];
}

/** What the cluster wants to know. */
export interface ServiceEvents {
  /** A process was started, or `undefined`: it ended. */
  onProcess: (name: string, pid: number | undefined) => void;
  /** A new process serves in place of one that died. */
  onReturn: (name: string) => void;
  say: (line: string) => void;
}

/** A supervised server. */
export interface Service {
  readonly name: string;
  /** Of the present process, or of the last one. */
  readonly pid: number;
  /** Starts it and waits until it serves. @throws StartError with the tail of its log */
  start(): Promise<void>;
  /** Ends it, and all restarts. May be called again with `force` to hurry. */
  stop(options?: { force?: boolean }): Promise<void>;
  /** For the moment in which the launcher dies: sends the last signal, and waits for nothing. */
  kill(): void;
}

/** Makes a service; nothing runs before `start()`. With `restart: false` a process that dies stays dead. */
export function superviseService(
  definition: ServiceDefinition,
  { restart, events }: { restart: boolean; events: ServiceEvents },
): Service {
  const { name, title, log, stopSteps } = definition;
  const stopping = new AbortController();
  const forced = new AbortController();
  let child: Child | undefined;
  let stopped: Promise<void> | undefined;

  const spawnProcess = async (): Promise<Child> => {
    await definition.prepare?.();
    stopping.signal.throwIfAborted();
    child = spawnChild(definition.command, log);
    events.onProcess(name, child.pid);
    return child;
  };

  /** Whether it got ready, before it ended, was told to stop, or the time was over. */
  const becomesReady = async (running: Child, timeoutMs: number): Promise<boolean> => {
    const deadline = Date.now() + timeoutMs;
    while (running.exit === undefined && !stopping.signal.aborted && Date.now() < deadline) {
      if (await definition.isReady(running)) return true;
      await sleep(POLL_MS);
    }
    return false;
  };

  const keepUp = async (first: Child): Promise<void> => {
    let running = first;
    let shortLives = 0;
    for (let startedAt = Date.now(); ; startedAt = Date.now()) {
      const exit = await running.exited;
      if (stopping.signal.aborted) return;
      events.onProcess(name, undefined);
      events.say(`${title} ${describeExit(exit)}${restart ? ', starting it again' : ''} (${log.path})`);
      if (!restart) return;

      shortLives = Date.now() - startedAt < LONG_LIFE_MS ? shortLives + 1 : 0;
      const pauseMs = shortLives === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (shortLives - 1), LONGEST_PAUSE_MS);
      await sleep(pauseMs, undefined, { signal: stopping.signal });
      running = await spawnProcess();
      if (await becomesReady(running, Number.POSITIVE_INFINITY)) {
        events.say(`${title} is back`);
        events.onReturn(name);
      }
    }
  };

  const takeDown = async (): Promise<void> => {
    stopping.abort();
    for (const [index, { signal, forMs }] of stopSteps.entries()) {
      if (child === undefined || child.exit !== undefined) break;
      const isLast = index === stopSteps.length - 1;
      if (forced.signal.aborted && index === 0 && !isLast) continue;
      child.signal(signal);
      // A stopped process (SIGSTOP) would get the signal only once it goes on.
      child.signal('SIGCONT');
      const waits: Promise<unknown>[] = [child.exited, sleep(forMs, undefined, { ref: false })];
      if (index === 0) waits.push(aborted(forced.signal));
      await Promise.race(waits);
    }
    if (child !== undefined) {
      await child.exited;
      events.onProcess(name, undefined);
    }
  };

  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    async start() {
      const logged = log.size();
      const running = await spawnProcess();
      if (await becomesReady(running, definition.startTimeoutMs)) {
        keepUp(running).catch((error: unknown) => {
          if (!stopping.signal.aborted) events.say(`${title} cannot be kept up: ${String(error)}`);
        });
        return;
      }
      stopping.signal.throwIfAborted();
      const what =
        running.exit === undefined
          ? `did not get ready within ${definition.startTimeoutMs / 1000} s`
          : describeExit(running.exit);
      throw new StartError(`${title} ${what}. Its log (${log.path}) ends with:\n\n${log.tail(15, logged)}`);
    },
    stop({ force = false } = {}) {
      if (force) forced.abort();
      return (stopped ??= takeDown());
    },
    kill: () => child?.signal(stopSteps.at(-1)?.signal ?? 'SIGKILL'),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
