import { resolve } from 'node:path';
import { assertPortIsFree, listenAddresses } from './addresses.ts';
import { drawBlueprint } from './blueprint.ts';
import type { Blueprint } from './blueprint.ts';
import { claimDataDir } from './claim.ts';
import { runServers } from './cluster-run.ts';
import type { ClusterInfo, ClusterRun } from './cluster-run.ts';
import { prepareDataDir } from './data-dir.ts';
import { urlHost } from './haproxy.ts';
import { chooseFreePorts } from './ports.ts';
import { findDatabaseMajor, preparePostgresData } from './postgres-data.ts';
import { loadSecrets } from './secrets.ts';
import { findOrInstallServers, titleOf } from './servers.ts';
import { findServerUser } from './system-user.ts';

/** A cluster on this machine. */
export interface ClusterOptions {
  /** Keeps the database, the secrets and the logs. Created if it is not there. One cluster at a time. */
  dataDir: string;
  /** The public port; a free one by default. */
  port?: number;
  /** An address of this machine, or `localhost`; all addresses by default. */
  host?: string | undefined;
  /** Number of gateways, default 3. */
  replicas?: number;
  /** Settings of the gateways and of HAProxy; the environment of this process by default. */
  env?: NodeJS.ProcessEnv;
  /** Whether a process that dies is started again, default true. */
  restart?: boolean;
  /** Is told what happens, line by line; by default nobody is. */
  log?: (line: string) => void;
  /** Has the last word on how the servers are run, for tests that put something of theirs between them. */
  alter?: (blueprint: Blueprint) => void | Promise<void>;
  /** Gives up the start: what runs already is taken down, and `startCluster` rejects. */
  signal?: AbortSignal;
}

/** A running cluster. */
export interface Cluster {
  /** Of the public port, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The present content of cluster.json. */
  readonly info: ClusterInfo;
  /** Signs the tokens (HS256) that the gateways accept. */
  readonly jwtSecret: string;
  /**
   * Takes everything down: the gateways drain while HAProxy still routes to them, then HAProxy, then the stores. May be
   * called any number of times; with `force` nothing is waited for any more.
   */
  stop(options?: { force?: boolean }): Promise<void>;
}

/**
 * Brings up PostgreSQL, Redis, the gateways and HAProxy, and keeps them up. Installs the servers if they are missing.
 * Resolves once the public port answers and cluster.json is written.
 *
 * @throws StartError for what the user can put right; nothing is left running then
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { host, replicas = 3, env = process.env, restart = true, log: say = () => {}, signal } = options;
  const dataDir = resolve(options.dataDir);
  const addresses = listenAddresses(host);
  const port = options.port ?? (await chooseFreePorts(1))[0] ?? 0;
  const url = `http://${urlHost(addresses)}:${port}`;

  prepareDataDir(dataDir);
  const claim = await claimDataDir(dataDir, url, say);
  let run: ClusterRun | undefined;
  try {
    await assertPortIsFree(addresses, port);
    const servers = await findOrInstallServers(dataDir, findDatabaseMajor(dataDir), say);
    const secrets = loadSecrets(dataDir);
    const jwtSecret = env['JWT_SECRET'] || secrets.jwtSecret;
    const postgresRunsAs = findServerUser(['postgres', '_postgres', 'nobody']);
    const data = preparePostgresData({ dataDir, program: servers.postgres, user: postgresRunsAs, say });
    const blueprint = await drawBlueprint({
      dataDir,
      addresses,
      port,
      replicas,
      env,
      servers,
      data,
      jwtSecret,
      redisPassword: secrets.redisPassword,
      postgresRunsAs,
      haproxyRunsAs: findServerUser(['haproxy', '_www', 'nobody']),
    });
    await options.alter?.(blueprint);
    signal?.throwIfAborted();

    const { postgres, redis, haproxy } = servers;
    say(`Starting ${titleOf('postgres', postgres)} and ${titleOf('redis', redis)}`);
    run = runServers({ blueprint, dataDir, url, port, restart, claim, say });
    const giveUp = (): void => void run?.stop();
    signal?.addEventListener('abort', giveUp);
    await run.startStores();
    say(`Starting ${replicas} ${replicas === 1 ? 'gateway' : 'gateways'}`);
    await run.startGateways();
    say(`Starting ${titleOf('haproxy', haproxy)}`);
    await run.startHaproxy();
    signal?.removeEventListener('abort', giveUp);
    return clusterOf(run, url, jwtSecret);
  } catch (error) {
    await run?.stop();
    claim.release();
    signal?.throwIfAborted();
    throw error;
  }
}

function clusterOf(run: ClusterRun, url: string, jwtSecret: string): Cluster {
  return {
    url,
    jwtSecret,
    get info() {
      return run.info();
    },
    stop: (options) => run.stop(options),
  };
}
