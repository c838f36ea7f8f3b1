import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { compareVersions, findProgram, type Version } from '../../deploy/local/programs.ts';

/** What is built or pulled when the machine has none. */
export const K6_VERSION = '1.8.1';
/** The first that has `k6/websockets` for good and takes TypeScript as it is. */
const OLDEST: Version = [1, 0, 0];
const BUILD_TIMEOUT_MS = 15 * 60_000;

/** How k6 is called. */
export interface K6 {
  program: string;
  args: readonly string[];
  /** For people. */
  about: string;
}

export interface FindOptions {
  /** Named by the user. */
  path?: string | undefined;
  /** Where a k6 that was built is kept. */
  cacheDir: string;
  /** The checkout, and where results go: a container has to see both. */
  mounts: readonly string[];
  say: (line: string) => void;
  /** Build or pull it if there is none, default true. */
  install?: boolean;
}

/** k6 of the user, of the PATH, built earlier, built now with Go, or in a container. @throws Error that says what to do */
export function findK6(options: FindOptions): K6 {
  const { path, say, install = true } = options;
  if (path !== undefined) {
    if (!existsSync(path)) throw new Error(`There is no ${path}`);
    return { program: resolve(path), args: [], about: path };
  }
  const onPath = findProgram('k6', 'version');
  if (onPath !== undefined && compareVersions(onPath.version, OLDEST) >= 0) {
    return { program: onPath.path, args: [], about: `${onPath.path}, ${onPath.version.join('.')}` };
  }
  const built = join(options.cacheDir, `v${K6_VERSION}`, 'k6');
  const cached = { program: built, args: [], about: `built with Go, ${K6_VERSION}` };
  if (existsSync(built)) return cached;
  if (install && answers('go', 'version')) {
    say(`Building k6 ${K6_VERSION} with Go, which takes a few minutes once`);
    if (build(dirname(built)) && existsSync(built)) return cached;
    say('Go could not build k6');
  }
  if (install && answers('docker', 'info')) return inContainer(options.mounts);
  throw new Error(
    `k6 is missing. Put k6 ${OLDEST.join('.')} or newer on the PATH (https://k6.io), or install Go, with which it is ` +
      'built, or Docker, in which it is run.',
  );
}

function build(directory: string): boolean {
  mkdirSync(directory, { recursive: true });
  const { status } = spawnSync('go', ['install', '-trimpath', '-ldflags=-s -w', `go.k6.io/k6@v${K6_VERSION}`], {
    env: { ...process.env, GOBIN: resolve(directory), GOFLAGS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: BUILD_TIMEOUT_MS,
  });
  return status === 0;
}

/** On the host's network, with the same paths as here. */
function inContainer(mounts: readonly string[]): K6 {
  const volumes = mounts.flatMap((path) => ['-v', `${path}:${path}`]);
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const variables = ['PLAN', 'GOGC', 'GOMEMLIMIT', 'GOMAXPROCS'].flatMap((name) => ['-e', name]);
  const flags = ['--rm', '-i', '--network', 'host', '--ulimit', 'nofile=1000000:1000000', '--user', user, ...variables];
  return {
    program: 'docker',
    args: ['run', ...flags, ...volumes, `grafana/k6:${K6_VERSION}`],
    about: `in a container, ${K6_VERSION}`,
  };
}

function answers(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
