import { resolve } from 'node:path';
import { listenAddresses } from '../../../deploy/local/addresses.ts';
import { drawBlueprint, type Blueprint } from '../../../deploy/local/blueprint.ts';
import { claimDataDir } from '../../../deploy/local/claim.ts';
import { runServers, type ClusterInfo, type ClusterRun } from '../../../deploy/local/cluster-run.ts';
import { prepareDataDir } from '../../../deploy/local/data-dir.ts';
import { chooseFreePorts } from '../../../deploy/local/ports.ts';
import { findDatabaseMajor, preparePostgresData } from '../../../deploy/local/postgres-data.ts';
import { loadSecrets } from '../../../deploy/local/secrets.ts';
import { findOrInstallServers } from '../../../deploy/local/servers.ts';
import { findServerUser } from '../../../deploy/local/system-user.ts';
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
    ['MESSAGES_ROOM', 'MESSAGES_USER', 'TYPING', 'JOIN', 'ROOM_CREATE', 'AUTH', 'CONNECT', 'ABUSE'].map((rate) => [
      `RATE_${rate}`,
      'off',
    ]),
  ),
  MUTE_AFTER: 'off',
  MAX_PENDING_PER_ADDRESS: 'off',
  DRAIN_MS: '4000',
  PING_INTERVAL_MS: '5000',
  PING_TIMEOUT_MS: '4000',
};

/** The launcher's own parts, with a proxy of ours between each gateway and Redis. */
export async function startChaosCluster(options: ChaosClusterOptions): Promise<ChaosCluster> {
  const { replicas, log: say = () => {} } = options;
  const env = { ...process.env, ...SETTINGS, ...options.env };
  const dataDir = resolve(options.dataDir);
  const addresses = listenAddresses('127.0.0.1');
  const port = (await chooseFreePorts(1))[0] as number;
  const url = `http://127.0.0.1:${port}`;
  prepareDataDir(dataDir);
  const claim = await claimDataDir(dataDir, url, say);
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

  let run: ClusterRun | undefined;
  try {
    const servers = await findOrInstallServers(dataDir, findDatabaseMajor(dataDir), say);
    const { jwtSecret, redisPassword } = loadSecrets(dataDir);
    const postgresRunsAs = findServerUser(['postgres', '_postgres', 'nobody']);
    const data = preparePostgresData({ dataDir, program: servers.postgres, user: postgresRunsAs, say });
    const haproxyRunsAs = findServerUser(['haproxy', '_www', 'nobody']);
    const blueprint = await drawBlueprint({
      dataDir,
      addresses,
      port,
      replicas,
      env,
      servers,
      data,
      redisPassword,
      jwtSecret,
      postgresRunsAs,
      haproxyRunsAs,
    });
    const redis = new URL(blueprint.redisUrl);
    redisPort = Number(redis.port);
    blueprint.gateways.forEach(({ service }, index) => {
      redis.port = String(redisProxies[index]?.port);
      service.command.env = { ...service.command.env, REDIS_URL: redis.href };
    });
    options.alter?.(blueprint);
    run = runServers({ blueprint, dataDir, url, port, restart: true, claim, say });
    await run.startStores();
    await run.startGateways();
    await run.startHaproxy();
    const running = run;
    return {
      url,
      jwtSecret,
      redisProxies,
      clientProxy,
      losses,
      get info() {
        return running.info();
      },
      get lost() {
        return lost;
      },
      async stop() {
        await running.stop({ force: true });
        await closeProxies();
      },
    };
  } catch (error) {
    await run?.stop({ force: true });
    claim.release();
    await closeProxies();
    throw error;
  }
}
