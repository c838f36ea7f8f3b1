import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, startProcess } from '@parley/test-support';
import type { Owner, RunningProcess } from '@parley/test-support';
import type { ClusterInfo } from '../../deploy/local/cluster-run.ts';
import { findJson } from '../../deploy/local/files.ts';
import { endLeftovers } from '../../deploy/local/leftovers.ts';
import type { ProcessIdentity } from '../../deploy/local/process-identity.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** `npm start`, without npm. */
export interface Launcher {
  process: RunningProcess;
  dataDir: string;
  port: number;
}

export interface LauncherOptions {
  dataDir: string;
  port?: number;
  env?: Record<string, string>;
}

/** Closes what was opened last first: launchers before their data directories. */
export function inReverse(owner: Owner): Owner {
  const closers: (() => Promise<void>)[] = [];
  owner.after(async () => {
    for (const close of closers.toReversed()) await close();
  });
  return { after: (close) => void closers.push(close) };
}

/** A directory that is removed at the end, and what still runs in it ended. */
export async function makeDataDir(owner: Owner): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-cluster-'));
  owner.after(async () => {
    const record = findJson(join(dataDir, 'launcher.json')) as
      { processes: Record<string, ProcessIdentity> } | undefined;
    const processes = Object.entries(record?.processes ?? {});
    await endLeftovers(processes.map(([name, identity]) => ({ name, ...identity })));
    await rm(dataDir, { recursive: true });
  });
  return dataDir;
}

/** Starts a cluster of two gateways and waits until it is ready. */
export async function startLauncher(owner: Owner, { dataDir, port, env }: LauncherOptions): Promise<Launcher> {
  const publicPort = port ?? (await freePort());
  let started: RunningProcess | undefined;
  owner.after(async () => void (await started?.stop('SIGTERM')));
  started = await startProcess(process.execPath, ['deploy/local/start.ts'], {
    owner,
    cwd: ROOT,
    env: {
      PARLEY_DATA_DIR: dataDir,
      PARLEY_PORT: String(publicPort),
      PARLEY_REPLICAS: '2',
      PARLEY_HOST: '127.0.0.1',
      PARLEY_RESTART: undefined,
      ...env,
    },
    readyWhen: /Ctrl-C stops everything/,
    readyTimeoutMs: 60_000,
  });
  return { process: started, dataDir, port: publicPort };
}

export async function readInfo(dataDir: string): Promise<ClusterInfo> {
  return JSON.parse(await readFile(join(dataDir, 'cluster.json'), 'utf8')) as ClusterInfo;
}

/** Name and pid of every server. */
export function pidsOf(info: ClusterInfo): Map<string, number> {
  const { haproxy, postgres, redis, gateways } = info;
  const pids: [string, number][] = gateways.map(({ name, pid }) => [name, pid]);
  return new Map([...pids, ['haproxy', haproxy.pid], ['postgres', postgres.pid], ['redis', redis.pid]]);
}
