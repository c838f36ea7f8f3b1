import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** A version, such as `[15, 18]`. */
export type Version = readonly number[];

/** A program that was found. */
export interface Program {
  path: string;
  version: Version;
}

// A user's PATH on Debian lacks the sbin directories, and Homebrew's are not on every PATH.
const MORE_DIRECTORIES = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/usr/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
];

/** Finds a program on the PATH or where systems keep servers, and asks for its version. `undefined` if there is none. */
export function findProgram(name: string, versionFlag: string): Program | undefined {
  for (const directory of searchPath()) {
    const found = inspectProgram(join(directory, name), versionFlag);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Finds all installations of PostgreSQL: their `postgres`, which has `initdb` beside it. Newest first. */
export function findPostgresPrograms(): Program[] {
  const found = new Map<string, Program>();
  for (const directory of [...searchPath(), ...postgresDirectories()]) {
    const path = realPath(join(directory, 'postgres'));
    if (path === undefined || found.has(path) || !isExecutable(join(dirname(path), 'initdb'))) continue;
    const program = inspectProgram(path, '--version');
    if (program !== undefined) found.set(path, program);
  }
  return [...found.values()].sort((a, b) => compareVersions(b.version, a.version));
}

/** The first number with a dot that a program says of itself: `Redis server v=7.0.15 sha=...` is 7.0.15. */
export function parseVersion(text: string): Version | undefined {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  // A PostgreSQL that is not released yet is "19devel" or "19beta1".
  const digits = match === null ? /(\d+)(?:devel|beta|rc)/.exec(text) : match;
  return digits?.slice(1).flatMap((part) => (part === undefined ? [] : [Number(part)]));
}

/** Negative if `a` is older than `b`, 0 if they are the same. */
export function compareVersions(a: Version, b: Version): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function searchPath(): string[] {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return [...new Set([...directories, ...MORE_DIRECTORIES])];
}

/** Where servers of several versions lie side by side, off the PATH. */
function postgresDirectories(): string[] {
  const below = (parent: string, names: RegExp): string[] => {
    const entries = realPath(parent) === undefined ? [] : readdirSync(parent);
    return entries.filter((entry) => names.test(entry)).map((entry) => join(parent, entry, 'bin'));
  };
  const { status, stdout } = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  return [
    ...(status === 0 ? [stdout.trim()] : []),
    ...below('/usr/lib/postgresql', /^\d/),
    ...below('/opt/homebrew/opt', /^postgresql/),
    ...below('/usr/local/opt', /^postgresql/),
  ];
}

function inspectProgram(path: string, versionFlag: string): Program | undefined {
  if (!isExecutable(path)) return undefined;
  const { status, stdout } = spawnSync(path, [versionFlag], { encoding: 'utf8' });
  const version = status === 0 ? parseVersion(stdout) : undefined;
  return version === undefined ? undefined : { path, version };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
