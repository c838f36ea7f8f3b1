import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrivateFile, findJson, writePrivateFile } from './files.ts';
import { endLeftovers } from './leftovers.ts';
import { identify, isAlive } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { StartError } from './start-error.ts';

// launcher.json in the data directory says which launcher owns it and which processes it started. Every process is
// written down the moment it starts, so that a launcher that is killed leaves nothing behind that the next one cannot
// find and end.

interface RunRecord {
  state: 'running' | 'stopping';
  url: string;
  launcher: ProcessIdentity;
  processes: Record<string, ProcessIdentity>;
}

/** The sole right to a data directory. */
export interface Claim {
  /** Writes down the process of a server, or that it has none any more. */
  recordProcess: (name: string, pid: number | undefined) => void;
  /** From now on the next launcher waits for this one to end, instead of refusing to start. */
  recordStopping: () => void;
  release: () => void;
}

// A launcher whose terminal was killed needs a moment to notice, and then is stopping.
const PATIENCE_RUNNING_MS = 2_000;
const PATIENCE_STOPPING_MS = 60_000;

/**
 * Claims a data directory for this process, and ends what a launcher that was killed left running in it.
 *
 * @param url where the cluster is going to listen, for the message to a second launcher
 * @throws StartError if another launcher has it
 */
export async function claimDataDir(dataDir: string, url: string, say: (line: string) => void): Promise<Claim> {
  const path = join(dataDir, 'launcher.json');
  const launcher = identify(process.pid);
  if (launcher === undefined) throw new Error('This process cannot see itself in the list of processes');
  const record: RunRecord = { state: 'running', url, launcher, processes: {} };

  const startedAt = Date.now();
  let saidWaiting = false;
  while (!createPrivateFile(path, format(record))) {
    const other = findJson(path) as RunRecord | undefined;
    if (other === undefined || !isAlive(other.launcher)) {
      await takeOver(path, other, say);
      continue;
    }
    const isStopping = other.state === 'stopping';
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > (isStopping ? PATIENCE_STOPPING_MS : PATIENCE_RUNNING_MS) || other.launcher.pid === process.pid) {
      throw alreadyRunning(dataDir, other);
    }
    if (isStopping && !saidWaiting) say('Waiting for the cluster that is just stopping in this data directory');
    saidWaiting ||= isStopping;
    await sleep(100);
  }

  let released = false;
  const write = (): void => {
    // A data directory that was deleted meanwhile must not keep the cluster from stopping in order.
    if (!released && existsSync(dataDir)) writePrivateFile(path, format(record));
  };
  return {
    recordProcess(name, pid) {
      const identity = pid === undefined ? undefined : identify(pid);
      if (identity === undefined) delete record.processes[name];
      else record.processes[name] = identity;
      write();
    },
    recordStopping() {
      record.state = 'stopping';
      write();
    },
    release() {
      if (!released) rmSync(path, { force: true });
      released = true;
    },
  };
}

async function takeOver(path: string, dead: RunRecord | undefined, say: (line: string) => void): Promise<void> {
  if (dead !== undefined) {
    const leftovers = Object.entries(dead.processes).map(([name, identity]) => ({ name, ...identity }));
    const ended = await endLeftovers(leftovers);
    if (ended.length > 0) say(`Ended what a killed launcher left running: ${ended.join(', ')}`);
  }
  // Two launchers may be here at once. Whoever moves the file away checks that it is the dead one's, and else gives
  // back what the quicker one has just written.
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = findJson(aside) as RunRecord | undefined;
  if (moved !== undefined && isAlive(moved.launcher)) renameSync(aside, path);
  else rmSync(aside);
}

function alreadyRunning(dataDir: string, { url, launcher }: RunRecord): StartError {
  return new StartError(
    `A cluster is already running with the data directory ${dataDir}: ${url}, process ${launcher.pid}.\n` +
      `Stop it with Ctrl-C in its terminal or with "kill ${launcher.pid}". For a second cluster beside it, choose ` +
      'another PARLEY_DATA_DIR and PARLEY_PORT.',
  );
}

function format(record: RunRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
