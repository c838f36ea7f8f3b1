import { spawnSync } from 'node:child_process';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { findPostgresPrograms, findProgram } from '../../deploy/local/programs.ts';
import { descriptorLimit } from '../target/descriptors.ts';

/** What a figure was measured on. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGB: number;
  system: string;
  /** Open files of a process; a proxied connection takes two. */
  fileDescriptors: number | 'unlimited';
  versions: Record<'node' | 'postgres' | 'redis' | 'haproxy', string>;
  /** Of this checkout, `+` behind it when files differ from it. */
  commit: string;
}

export function describeMachine(): Machine {
  const run = (program: string, ...args: string[]): string =>
    (spawnSync(program, args, { encoding: 'utf8', cwd: import.meta.dirname }).stdout ?? '').trim();
  const limit = descriptorLimit();
  const version = (program: { version: readonly number[] } | undefined): string => program?.version.join('.') ?? '';
  return {
    processor: cpus()[0]?.model ?? '',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e8) / 10,
    system: `${type()} ${release()} ${arch()}`,
    fileDescriptors: Number.isFinite(limit) ? limit : 'unlimited',
    versions: {
      node: process.versions.node,
      postgres: version(findPostgresPrograms()[0]),
      redis: version(findProgram('redis-server', '--version')),
      haproxy: version(findProgram('haproxy', '-v')),
    },
    commit: run('git', 'rev-parse', '--short', 'HEAD') + (run('git', 'status', '--porcelain') === '' ? '' : '+'),
  };
}

/** In one line. */
export function machineLine({ processor, cores, memoryGB, system, versions, commit }: Machine): string {
  const programs = `Node ${versions.node}, PostgreSQL ${versions.postgres}, Redis ${versions.redis}, HAProxy ${versions.haproxy}`;
  return `${cores} cores (${processor}), ${memoryGB} GB, ${system}; ${programs}; commit ${commit}`;
}
