import { installServers } from './install.ts';
import { compareVersions, findPostgresPrograms, findProgram } from './programs.ts';
import type { Program, Version } from './programs.ts';
import { StartError } from './start-error.ts';

/** The three servers around the gateways, as installed on this machine. */
export interface Servers {
  /** `postgres`, which has `initdb` beside it. */
  postgres: Program;
  redis: Program;
  haproxy: Program;
}

export type ServerName = keyof Servers;

const REQUIRED: Record<ServerName, { title: string; minimum: Version; reason: string }> = {
  postgres: { title: 'PostgreSQL', minimum: [14], reason: 'the schema needs it' },
  redis: { title: 'Redis', minimum: [7, 0], reason: 'sharded pub/sub came with it' },
  haproxy: { title: 'HAProxy', minimum: [2, 6], reason: 'deploy/haproxy/haproxy.cfg is written for it' },
};

/** Of a server as it is shown, such as `PostgreSQL 15.18`. */
export function titleOf(name: ServerName, { version }: Program): string {
  return `${REQUIRED[name].title} ${version.join('.')}`;
}

/**
 * Finds the servers, and installs those that are missing.
 *
 * @param existingMajor the PostgreSQL version that made the database which is there already
 * @throws StartError if one is too old or cannot be installed
 */
export async function findOrInstallServers(
  dataDir: string,
  existingMajor: number | undefined,
  say: (line: string) => void,
): Promise<Servers> {
  let found = findServers(existingMajor);
  const missing = missingOf(found);
  if (missing.length > 0) {
    await installServers(missing, dataDir, say);
    found = findServers(existingMajor);
    const stillMissing = missingOf(found).map((name) => REQUIRED[name].title);
    if (stillMissing.length > 0) {
      throw new StartError(`${stillMissing.join(' and ')} cannot be found, although the installation said it worked.`);
    }
  }
  const servers = found as Servers;
  for (const name of Object.keys(REQUIRED) as ServerName[]) assertNewEnough(name, servers[name]);
  return servers;
}

function findServers(existingMajor: number | undefined): Partial<Servers> {
  const postgres = findPostgresPrograms();
  const matching = postgres.find(({ version }) => version[0] === existingMajor);
  return withoutUndefined({
    postgres: matching ?? postgres[0],
    redis: findProgram('redis-server', '--version'),
    haproxy: findProgram('haproxy', '-v'),
  });
}

function missingOf(found: Partial<Servers>): ServerName[] {
  return (Object.keys(REQUIRED) as ServerName[]).filter((name) => found[name] === undefined);
}

function assertNewEnough(name: ServerName, program: Program): void {
  const { title, minimum, reason } = REQUIRED[name];
  if (compareVersions(program.version, minimum) >= 0) return;
  throw new StartError(
    `${program.path} is ${titleOf(name, program)}, but ${minimum.join('.')} or newer is needed: ${reason}. Install a ` +
      `newer ${title} (Debian 12, Ubuntu 24.04 and Homebrew have one) and put it first on the PATH.`,
  );
}

function withoutUndefined(found: { [Name in ServerName]: Program | undefined }): Partial<Servers> {
  return Object.fromEntries(Object.entries(found).filter(([, program]) => program !== undefined));
}
