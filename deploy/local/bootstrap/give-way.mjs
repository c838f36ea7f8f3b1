// Node cannot replace itself by another program before version 24, so this process stays as a shell around the program.
import { spawn } from 'node:child_process';
import { isatty } from 'node:tty';

/**
 * Runs the program in the foreground and ends as it ends. The program gets each signal once, and has an IPC channel
 * whose `disconnect` tells it that this process was killed.
 * @param {string} runtime
 * @param {string[]} args
 */
export function giveWayTo(runtime, args) {
  const child = spawn(runtime, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });

  const forward = (signal) => {
    // Ctrl-C goes to all processes of the terminal's foreground group, so the program has it already.
    const fromTerminal = signal === 'SIGINT' && [0, 1, 2].some((fd) => isatty(fd));
    if (!fromTerminal) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
  for (const signal of signals) process.on(signal, forward);

  child.on('error', (error) => {
    console.error(`${runtime}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    for (const each of signals) process.removeListener(each, forward);
    if (signal === null) process.exit(code ?? 1);
    else process.kill(process.pid, signal);
  });
}
