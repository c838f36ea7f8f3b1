import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { eventually } from './eventually.ts';
import { guardFolder, guardProcess } from './guard.ts';

/** A private server in a temporary folder, on a free port of 127.0.0.1. */
export interface Server {
  readonly url: string;
  readonly port: number;
  /** Of the process at this moment; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Ends it and waits for that. SIGKILL is a crash. Default: its quick orderly way. */
  stop: (signal?: NodeJS.Signals) => Promise<void>;
  /** Starts it again on the same port and with the same data, and waits until it answers. */
  start: () => Promise<void>;
  /** Ends it, if it runs, and removes its folder. */
  remove: () => Promise<void>;
}

/** What is special about one kind of server. */
export interface Service {
  url: string;
  port: number;
  folder: string;
  stopSignal: NodeJS.Signals;
  launch: () => ChildProcess;
  /** Throws until the server answers. */
  answers: () => Promise<void>;
}

/** Starts it. After a failure nothing is left of it. */
export async function serve(service: Service): Promise<Server> {
  const unguardFolder = guardFolder(service.folder);
  let child: ChildProcess | undefined;
  let log = '';

  const launch = async () => {
    const started = service.launch();
    child = started;
    if (started.pid !== undefined) started.once('exit', guardProcess(started.pid, service.stopSignal));
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000);
    });
    // Rejects when the program can't be run at all.
    const ended = once(started, 'exit').then(() => {
      throw new Error('it ended');
    });
    ended.catch(() => {});
    try {
      await Promise.race([ended, eventually(service.answers, { timeoutMs: 30_000 })]);
    } catch (error) {
      started.kill('SIGKILL');
      throw new Error(`${service.url} did not start: ${(error as Error).message}\n${log}`, { cause: error });
    }
  };
  // After a crash the rest of the old server may hold its memory for a moment, which ends the new one.
  const start = () => eventually(launch, { timeoutMs: 5_000, everyMs: 200 });
  const stop = async (signal: NodeJS.Signals = service.stopSignal) => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, 'exit');
    running.kill(signal);
    await exit;
  };
  const remove = async () => {
    await stop();
    await rm(service.folder, { recursive: true, force: true });
    unguardFolder();
  };

  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: service.url,
    port: service.port,
    get pid() {
      return child?.pid;
    },
    stop,
    start,
    remove,
  };
}
