import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Ends another process when this one ends without having done so, also by SIGKILL, which leaves no time to clean up.
 * @returns takes the guard away; to be called when the other has ended
 */
export function guardProcess(pid: number, signal: NodeJS.Signals): () => void {
  return afterThisProcess('kill -s "$1" "$2" 2>/dev/null', [signal.replace('SIG', ''), String(pid)]);
}

/** The same for a folder. It is removed some seconds later, when the servers that wrote to it have ended. */
export function guardFolder(folder: string): () => void {
  return afterThisProcess('sleep 3; rm -rf -- "$1"', [folder]);
}

function afterThisProcess(script: string, args: string[]): () => void {
  // `read` ends when this process does: its end of the pipe closes then.
  const watcher = spawn('sh', ['-c', `read -r _; ${script}`, 'guard', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // out of reach of a terminal's Ctrl-C
  });
  watcher.unref();
  (watcher.stdin as Socket).unref();
  watcher.once('error', () => {});
  return () => watcher.kill('SIGKILL');
}
