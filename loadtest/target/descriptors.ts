import { spawnSync } from 'node:child_process';

/** What a process opens besides its connections: files, stores, and connections that are not gone yet. */
const BESIDES = 500;

/** How many open files a process may have here, Infinity where there is no limit. */
export function descriptorLimit(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' });
  return Number(stdout?.trim()) || Infinity;
}

/** HAProxy processes that so many sockets need: a proxied connection takes two descriptors. */
export function edgesFor(sockets: number, limit = descriptorLimit()): number {
  return Math.max(1, Math.ceil((2 * sockets) / Math.max(1, limit - BESIDES)));
}

export interface Wanted {
  /** Of the generator that runs here. */
  sockets: number;
  /** Of the whole run, if its cluster is started here. */
  cluster?: { sockets: number; replicas: number; edges: number };
}

/** @throws Error with what to do, when a process would run out of descriptors */
export function requireDescriptors({ sockets, cluster }: Wanted, limit = descriptorLimit()): void {
  const needs = { k6: sockets, ...(cluster && needsOf(cluster)) };
  for (const [name, most] of Object.entries(needs)) {
    if (most + BESIDES <= limit) continue;
    throw new Error(
      `A process may have ${limit} open files here (ulimit -Hn), but ${name} needs ${most + BESIDES}. Raise the limit, ` +
        `or take fewer --clients, more --edges or --replicas, or several generators (--shard).`,
    );
  }
}

function needsOf({ sockets, replicas, edges }: { sockets: number; replicas: number; edges: number }) {
  return {
    HAProxy: Math.ceil((2 * sockets) / edges),
    // When one is away, the others have its sockets.
    'a gateway': Math.ceil(sockets / Math.max(1, replicas - 1)),
  };
}
