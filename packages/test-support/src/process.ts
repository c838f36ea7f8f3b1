import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { within } from './deferred.ts';
import { eventually } from './eventually.ts';
import { guardProcess } from './guard.ts';

/** Where the clean-up is registered: a test's context, or `{ after }` of node:test in a suite. */
export interface Owner {
  after(close: () => Promise<void>): void;
}

export interface ProcessOptions {
  owner: Owner;
  /** Added to this process's environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** The start is done when this is found in what the process printed. Default: when it runs. */
  readyWhen?: RegExp;
  /** For the start. Default 30 s. */
  readyTimeoutMs?: number;
}

export interface ExitState {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  /** All it printed so far, on both channels. */
  readonly output: string;
  readonly exited: Promise<ExitState>;
  /**
   * Sends the signal (default SIGTERM) and waits for the end. A process that does not end within `timeoutMs` (default
   * 30 s) is killed, and this throws. No error when it has ended already.
   */
  stop: (signal?: NodeJS.Signals, timeoutMs?: number) => Promise<ExitState>;
  kill: (signal: NodeJS.Signals) => void;
}

/** Starts a program and waits until it is ready. If it ends before, this throws with what it printed. */
export async function startProcess(command: string, args: string[], options: ProcessOptions): Promise<RunningProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const channel of [child.stdout, child.stderr]) {
    channel.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let ended: ExitState | undefined;
  const closed = once(child, 'close').then(() => {});
  const exited = once(child, 'exit').then(async ([code, signal]: unknown[]) => {
    ended = { code, signal } as ExitState;
    // All it printed is read when the channels close. Children that it left behind can keep them open.
    await within(closed, 'the end of the output', 1_000).catch(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    });
    return ended;
  });
  // A program that can't be started fails here; nobody waits for its end then.
  closed.catch(() => {});
  exited.catch(() => {});
  await once(child, 'spawn');
  child.once('exit', guardProcess(child.pid as number, 'SIGTERM'));

  const stop = async (signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 30_000): Promise<ExitState> => {
    child.kill(signal);
    try {
      return await within(exited, `the end of ${command} after ${signal}`, timeoutMs);
    } catch (error) {
      child.kill('SIGKILL');
      await exited;
      throw error;
    }
  };
  options.owner.after(async () => {
    if (ended === undefined) await stop('SIGKILL');
  });

  const { readyWhen, readyTimeoutMs = 30_000 } = options;
  if (readyWhen !== undefined) {
    await Promise.race([
      exited,
      eventually(
        () => {
          if (ended === undefined && !readyWhen.test(output)) throw new Error(`it printed:\n${output}`);
        },
        { timeoutMs: readyTimeoutMs, message: `waiting for ${command} to print ${readyWhen.source}` },
      ),
    ]);
    if (ended !== undefined && !readyWhen.test(output)) {
      throw new Error(`${command} ended (${JSON.stringify(ended)}) before it was ready:\n${output}`);
    }
  }
  return {
    pid: child.pid as number,
    get output() {
      return output;
    },
    exited,
    stop,
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
