import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { serve, type Server } from './server.ts';

export interface PostgresOptions {
  /** Whether a commit waits for the disk. Default false: quick, and still safe when only the server crashes. */
  fsync?: boolean;
}

/** A private PostgreSQL. Its user `postgres` may do anything and needs no password. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Server> {
  const bin = postgresFolder();
  const identity = serverIdentity();
  const folder = await mkdtemp(join(tmpdir(), 'parley-postgres-'));
  if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  await promisify(execFile)(join(bin, 'initdb'), initdb, { ...identity, cwd: folder });
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    max_connections: '300',
    shared_buffers: '64MB',
    fsync: options.fsync === true ? 'on' : 'off',
  };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return serve({
    url,
    port,
    folder,
    stopSignal: 'SIGINT', // "fast": ends sessions, writes a checkpoint
    launch: () => spawn(join(bin, 'postgres'), args, { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }),
    answers: async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      await client.end();
    },
  });
}

type Identity = { uid: number; gid: number } | { uid?: never; gid?: never };

/** PostgreSQL refuses to run as root, so then it gets another user. */
function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const user = ['postgres', 'nobody'].find((name) => idOf('-u', name) !== undefined);
  if (user === undefined) throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody');
  return { uid: Number(idOf('-u', user)), gid: Number(idOf('-g', user)) };
}

function idOf(which: '-u' | '-g', user: string): string | undefined {
  try {
    return execFileSync('id', [which, user], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

/** The folder of `initdb` and `postgres`: on the PATH, or the newest where Debian and others put it. */
function postgresFolder(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).find((path) => existsSync(join(path, 'initdb')));
  if (onPath !== undefined) return onPath;
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(root, version, 'bin')).find((path) => existsSync(join(path, 'initdb')));
  if (found === undefined) throw new Error(`PostgreSQL is not installed: no initdb on the PATH nor in ${root}`);
  return found;
}
