import { resolve } from 'node:path';
import type { Blueprint } from '../../../deploy/local/blueprint.ts';
import type { ClusterInfo } from '../../../deploy/local/cluster-run.ts';
import { startCluster } from '../../../deploy/local/cluster.ts';
import { chooseFreePorts } from '../../../deploy/local/ports.ts';
import { pushFilter } from './push-filter.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface ChaosClusterOptions {
  /** Absolute, or from the working directory. */
  dataDir: string;
  replicas: number;
  /** Settings of the gateways, besides those of this process. */
  env?: Record<string, string>;
  /** Has the last word on what is started, for gateways that are not this checkout's. */
  alter?: (blueprint: Blueprint) => void;
  log?: (line: string) => void;
}

/** A real cluster with wires that can be cut. */
export interface ChaosCluster {
  readonly url: string;
  readonly info: ClusterInfo;
  readonly jwtSecret: string;
  /** Between each gateway and Redis, by the gateway's place. */
  readonly redisProxies: readonly TcpProxy[];
  /** In front of HAProxy, for clients with a bad line. */
  readonly clientProxy: TcpProxy;
  /** Which share of the messages from Redis to each gateway is lost, 0 to 1. */
  readonly losses: number[];
  /** How many were lost on purpose so far. */
  readonly lost: number;
  stop(): Promise<void>;
}

/** No limits: the load is ours. A short drain, since rolling restarts wait for it. Heartbeats that notice a dead line. */
const SETTINGS: Record<string, string> = {
  ...Object.fromEntries(
    ['MESSAGES_ROOM', 'MESSAGES_USER', 'TYPING', 'JOIN', 'ROOM_CREATE', 'AUTH', 'REST', 'CONNECT', 'ABUSE'].map(
      (rate) => [`RATE_${rate}`, 'off'],
    ),
  ),
  MUTE_AFTER: 'off',
  MAX_PENDING_PER_ADDRESS: 'off',
  DRAIN_MS: '4000',
  PING_INTERVAL_MS: '5000',
  PING_TIMEOUT_MS: '4000',
};

/** The launcher's cluster, with a proxy of ours between each gateway and Redis. */
export async function startChaosCluster(options: ChaosClusterOptions): Promise<ChaosCluster> {
  const { replicas, log = () => {} } = options;
  const port = (await chooseFreePorts(1))[0] as number;
  const losses = Array.from({ length: replicas }, () => 0);
  let redisPort = 0;
  let lost = 0;
  const redisProxies = await Promise.all(
    losses.map((_, index) =>
      startTcpProxy(
        () => redisPort,
        pushFilter(() => {
          const isLost = Math.random() < (losses[index] ?? 0);
          if (isLost) lost += 1;
          return isLost;
        }),
      ),
    ),
  );
  const clientProxy = await startTcpProxy(() => port);
  const closeProxies = (): Promise<unknown> =>
    Promise.all([...redisProxies, clientProxy].map((proxy) => proxy.close()));

  function throughProxies(blueprint: Blueprint): void {
    const redis = new URL(blueprint.redisUrl);
    redisPort = Number(redis.port);
    blueprint.gateways.forEach(({ service }, index) => {
      redis.port = String(redisProxies[index]?.port);
      service.command.env = { ...service.command.env, REDIS_URL: redis.href };
    });
    options.alter?.(blueprint);
  }

  try {
    const cluster = await startCluster({
      dataDir: resolve(options.dataDir),
      host: '127.0.0.1',
      port,
      replicas,
      env: { ...process.env, ...SETTINGS, ...options.env },
      log,
      alter: throughProxies,
    });
    return {
      url: cluster.url,
      jwtSecret: cluster.jwtSecret,
      redisProxies,
      clientProxy,
      losses,
      get info() {
        return cluster.info;
      },
      get lost() {
        return lost;
      },
      async stop() {
        await cluster.stop({ force: true });
        await closeProxies();
      },
    };
  } catch (error) {
    await closeProxies();
    throw error;
  }
}
