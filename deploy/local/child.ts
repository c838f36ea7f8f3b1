import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { LogFile } from './logs.ts';

/** A program to run. */
export interface Command {
  program: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The user to run as, if not the present one. */
  user?: { uid: number; gid: number };
}

/** How a process ended: by an exit code, by a signal, or it could not be started at all. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  error?: Error;
}

/** A running process. */
export interface Child {
  /** 0 if it could not be started. */
  readonly pid: number;
  /** Set once it ended. */
  readonly exit: Exit | undefined;
  readonly exited: Promise<Exit>;
  /** Sends a signal; does nothing once the process ended. */
  signal(signal: NodeJS.Signals): void;
}

/**
 * Starts a process in a session of its own, so that Ctrl-C in the terminal reaches only the launcher, which orders the
 * shutdown. Its output goes straight to the log file: it must not depend on the launcher's life.
 */
export function spawnChild(command: Command, log: LogFile): Child {
  const output = log.open();
  const { user } = command;
  const process = spawn(command.program, command.args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['ignore', output, output],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  closeSync(output);

  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    const end = (result: Exit): void => {
      exit ??= result;
      resolve(exit);
    };
    process.on('exit', (code, signal) => end({ code, signal }));
    process.on('error', (error) => {
      // Also emitted when a signal cannot be sent, which is no end.
      if (process.pid === undefined) end({ code: null, signal: null, error });
    });
  });

  return {
    pid: process.pid ?? 0,
    get exit() {
      return exit;
    },
    exited,
    signal: (signal) => void process.kill(signal),
  };
}

/** The end of a process in words, as in "PostgreSQL was killed by SIGKILL". */
export function describeExit({ code, signal, error }: Exit): string {
  if (error !== undefined) return `could not be started (${error.message})`;
  return signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
}
