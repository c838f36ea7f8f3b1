import { resolve } from 'node:path';
import { defineGateway } from './gateways.ts';
import { defineHaproxy } from './haproxy.ts';
import { openLog } from './logs.ts';
import type { LogFile } from './logs.ts';
import { chooseFreePorts } from './ports.ts';
import { definePostgres, postgresUrl } from './postgres.ts';
import type { PostgresData } from './postgres-data.ts';
import { defineRedis, redisUrl } from './redis.ts';
import type { Servers } from './servers.ts';
import type { ServiceDefinition } from './service.ts';
import type { SystemUser } from './system-user.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** All that a cluster is made of before anything of it runs. */
export interface Blueprint {
  postgres: ServiceDefinition;
  redis: ServiceDefinition;
  gateways: GatewayPlan[];
  haproxy: ServiceDefinition;
  postgresUrl: string;
  redisUrl: string;
  statsUrl: string;
}

export interface GatewayPlan {
  name: string;
  port: number;
  metricsPort: number;
  log: LogFile;
  service: ServiceDefinition;
}

export interface BlueprintOptions {
  dataDir: string;
  addresses: readonly string[];
  port: number;
  replicas: number;
  env: NodeJS.ProcessEnv;
  servers: Servers;
  data: PostgresData;
  redisPassword: string;
  jwtSecret: string;
  postgresRunsAs: SystemUser | undefined;
  haproxyRunsAs: SystemUser | undefined;
}

// As the gateways have it, and room for one whose connections are not gone yet when its successor comes.
const POOL_BY_DEFAULT = 10;
const BESIDE_THE_POOL = 20;

/** Gives every server of the cluster its port, its log, and its settings. */
export async function drawBlueprint(options: BlueprintOptions): Promise<Blueprint> {
  const { dataDir, env, servers, data, replicas } = options;
  const ports = await chooseFreePorts(3 + 2 * replicas);
  const nextPort = (): number => ports.pop() as number;
  const [postgresPort, redisPort, statsPort] = [nextPort(), nextPort(), nextPort()];
  const redisAccess = { port: redisPort, password: options.redisPassword };
  const stores = { databaseUrl: postgresUrl(data, postgresPort), redisUrl: redisUrl(redisAccess) };

  const gateways = Array.from({ length: replicas }, (_, index): GatewayPlan => {
    const name = `gateway${index + 1}`;
    const own = { name, port: nextPort(), metricsPort: nextPort(), log: openLog(dataDir, name) };
    const service = defineGateway({ ...own, ...stores, root: ROOT, dataDir, env, jwtSecret: options.jwtSecret });
    return { ...own, service };
  });

  return {
    postgres: definePostgres({
      program: servers.postgres,
      data,
      port: postgresPort,
      gatewayConnections: replicas * connectionsOf(env),
      user: options.postgresRunsAs,
      log: openLog(dataDir, 'postgres'),
    }),
    redis: defineRedis({ ...redisAccess, program: servers.redis, dataDir, log: openLog(dataDir, 'redis') }),
    gateways,
    haproxy: defineHaproxy({
      program: servers.haproxy,
      root: ROOT,
      dataDir,
      addresses: options.addresses,
      port: options.port,
      statsPort,
      gateways,
      env,
      user: options.haproxyRunsAs,
      log: openLog(dataDir, 'haproxy'),
    }),
    postgresUrl: stores.databaseUrl,
    redisUrl: stores.redisUrl,
    statsUrl: `http://127.0.0.1:${statsPort}/`,
  };
}

/** PostgreSQL connections of one gateway. */
function connectionsOf(env: NodeJS.ProcessEnv): number {
  return (Number(env['DATABASE_POOL_MAX']) || POOL_BY_DEFAULT) + BESIDE_THE_POOL;
}
