import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterInfo } from '../../deploy/local/cluster-run.ts';
import { startCluster, type Cluster } from '../../deploy/local/cluster.ts';
import { startEdge, type Edge } from './edges.ts';
import { measuredSettings } from './settings.ts';

/**
 * What can be measured, all behind the same HAProxy: Parley, the cluster of the tutorials (`plain`), and a fan-out
 * without any store (`bare`).
 */
export type Kind = 'parley' | 'plain' | 'bare';

export interface TargetOptions {
  kind: Kind;
  /** Number of gateways. */
  replicas: number;
  /** Number of HAProxy processes, each with a port of its own. */
  edges: number;
  /** Settings of the gateways, besides those of this process and those under which everything is measured. */
  env?: Record<string, string>;
  /** Keeps the data and the logs there; otherwise they are temporary, and removed in the end. */
  dataDir?: string;
  log: (line: string) => void;
  signal?: AbortSignal;
}

/** A cluster that runs to be measured. */
export interface Target {
  readonly kind: Kind;
  /** Of every HAProxy, the cluster's own first. */
  readonly urls: readonly string[];
  readonly jwtSecret: string;
  readonly dataDir: string;
  /** The processes of the moment. */
  readonly info: ClusterInfo;
  /** Of all HAProxies. */
  readonly edgePids: readonly number[];
  stop(): Promise<void>;
}

const GATEWAYS: Record<Exclude<Kind, 'parley'>, string> = {
  plain: join(import.meta.dirname, '../plain/gateway.ts'),
  bare: join(import.meta.dirname, 'bare-gateway.ts'),
};

/** Starts a cluster with an empty database. @throws StartError; nothing is left running then */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const { kind, replicas, log, signal } = options;
  const env = { LOG_LEVEL: 'warn', ...process.env, ...measuredSettings(), ...options.env };
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), `parley-${kind}-`)));
  const edges: Edge[] = [];
  let cluster: Cluster | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(edges.map((edge) => edge.stop()));
    // Nobody is left who would profit from a drain.
    await cluster?.stop({ force: true });
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    cluster = await startCluster({
      dataDir,
      host: '127.0.0.1',
      replicas,
      env,
      log,
      ...(signal && { signal }),
      alter: ({ gateways, redisUrl }) => {
        if (kind === 'parley') return;
        for (const { service } of gateways) {
          service.command.args = [GATEWAYS[kind]];
          service.command.env = { ...service.command.env, REDIS_URL: redisUrl };
        }
      },
    });
    const running = cluster;
    while (edges.length + 1 < options.edges) {
      edges.push(await startEdge({ info: running.info, dataDir, name: `edge${edges.length + 2}`, env, log }));
    }
    return {
      kind,
      urls: [running.url, ...edges.map(({ url }) => url)],
      jwtSecret: running.jwtSecret,
      dataDir,
      get info() {
        return running.info;
      },
      get edgePids() {
        return [running.info.haproxy.pid, ...edges.map(({ pid }) => pid)];
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
