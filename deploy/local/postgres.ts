import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from './child.ts';
import { endLeftovers } from './leftovers.ts';
import type { LogFile } from './logs.ts';
import { POSTGRES_DATABASE, POSTGRES_USER } from './postgres-data.ts';
import type { PostgresData } from './postgres-data.ts';
import { commandLine, identify } from './process-identity.ts';
import type { Program } from './programs.ts';
import type { ServiceDefinition } from './service.ts';
import type { SystemUser } from './system-user.ts';

/** Where and how PostgreSQL is to run. */
export interface PostgresOptions {
  program: Program;
  data: PostgresData;
  port: number;
  /** How many the gateways may open together. */
  gatewayConnections: number;
  user: SystemUser | undefined;
  log: LogFile;
}

const CONNECTIONS_FOR_OTHERS = 60;

/** The URL of the cluster's database, password included. */
export function postgresUrl({ password }: PostgresData, port: number): string {
  return `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/${POSTGRES_DATABASE}`;
}

/** PostgreSQL with the database of the data directory, on 127.0.0.1 only. */
export function definePostgres({
  program,
  data,
  port,
  gatewayConnections,
  user,
  log,
}: PostgresOptions): ServiceDefinition {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    // Paths of sockets are limited to a hundred characters; data directories are not.
    unix_socket_directories: '',
    max_connections: gatewayConnections + CONNECTIONS_FOR_OTHERS,
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    // An acknowledged message is on the disk.
    fsync: 'on',
    synchronous_commit: 'on',
    // All statements are short: compiling one takes longer than running it.
    jit: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return {
    name: 'postgres',
    title: 'PostgreSQL',
    log,
    command: {
      program: program.path,
      args: ['-D', data.folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      cwd: '/',
      ...(user === undefined ? {} : { user }),
    },
    prepare: () => clearTheWay(data.folder),
    isReady: (child) => Promise.resolve(isReady(data.folder, child)),
    startTimeoutMs: 60_000,
    // "Fast" shutdown, "immediate" shutdown, and the end.
    stopSteps: [
      { signal: 'SIGINT', forMs: 30_000 },
      { signal: 'SIGQUIT', forMs: 5_000 },
      { signal: 'SIGKILL', forMs: 5_000 },
    ],
  };
}

/** postmaster.pid has the process on its first line and what it does on its eighth. */
function isReady(folder: string, child: Child): boolean {
  const lines = readPidFile(folder);
  return Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready';
}

/**
 * A PostgreSQL that was killed leaves its number behind in a file, and a new one refuses to start if any process of the
 * same user has that number now. If that process is no PostgreSQL, the file goes. If it is one of this very directory,
 * it ends. Everything else is left to PostgreSQL's own check, which keeps two from using one directory.
 */
async function clearTheWay(folder: string): Promise<void> {
  const pid = Number(readPidFile(folder)[0]);
  const holder = pid > 0 ? identify(pid) : undefined;
  if (holder === undefined) return;
  const command = commandLine(pid);
  if (!/^\S*postgres\b/.test(command)) rmSync(join(folder, 'postmaster.pid'), { force: true });
  else if (command.includes(`-D ${folder} `)) await endLeftovers([{ name: 'postgres', ...holder }]);
}

function readPidFile(folder: string): string[] {
  const path = join(folder, 'postmaster.pid');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}
