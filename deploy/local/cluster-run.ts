import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Blueprint } from './blueprint.ts';
import type { Claim } from './claim.ts';
import { writePrivateFile } from './files.ts';
import { followProblems } from './gateway-problems.ts';
import { superviseService } from './service.ts';
import type { Service, ServiceDefinition } from './service.ts';

/** The content of cluster.json: where everything listens, and which processes may be signalled. */
export interface ClusterInfo {
  /** Of the public port, as this machine reaches it. */
  url: string;
  launcher: { pid: number };
  haproxy: { pid: number; port: number; statsUrl: string };
  /** The URLs contain the passwords. */
  postgres: { pid: number; url: string };
  redis: { pid: number; url: string };
  gateways: { name: string; pid: number; port: number; metricsPort: number }[];
}

export interface ClusterRunOptions {
  blueprint: Blueprint;
  dataDir: string;
  url: string;
  /** The public one. */
  port: number;
  restart: boolean;
  claim: Claim;
  say: (line: string) => void;
}

/** The servers of a cluster, run in their order. If a start throws, `stop` takes down what runs. */
export interface ClusterRun {
  startStores(): Promise<void>;
  startGateways(): Promise<void>;
  /** The cluster is complete then, and cluster.json is written. */
  startHaproxy(): Promise<void>;
  info(): ClusterInfo;
  stop(options?: { force?: boolean }): Promise<void>;
}

/** Prepares to run the servers of a blueprint; nothing runs yet. */
export function runServers(options: ClusterRunOptions): ClusterRun {
  const { blueprint, claim, say } = options;
  const infoFile = join(options.dataDir, 'cluster.json');
  // Of a launcher that was killed.
  rmSync(infoFile, { force: true });

  let isComplete = false;
  let stopped: Promise<void> | undefined;
  const unfollow: (() => void)[] = [];

  const writeInfo = (): void => {
    if (isComplete && stopped === undefined) writePrivateFile(infoFile, `${JSON.stringify(info(), null, 2)}\n`);
  };
  const supervise = (definition: ServiceDefinition): Service =>
    superviseService(definition, {
      restart: options.restart,
      events: { onProcess: claim.recordProcess, onReturn: writeInfo, say },
    });
  const postgres = supervise(blueprint.postgres);
  const redis = supervise(blueprint.redis);
  const gateways = blueprint.gateways.map(({ service }) => supervise(service));
  const haproxy = supervise(blueprint.haproxy);
  const inStopOrder = [gateways, [haproxy], [redis], [postgres]];

  const info = (): ClusterInfo => ({
    url: options.url,
    launcher: { pid: process.pid },
    haproxy: { pid: haproxy.pid, port: options.port, statsUrl: blueprint.statsUrl },
    postgres: { pid: postgres.pid, url: blueprint.postgresUrl },
    redis: { pid: redis.pid, url: blueprint.redisUrl },
    gateways: blueprint.gateways.map(({ name, port, metricsPort }, index) => {
      return { name, pid: gateways[index]?.pid ?? 0, port, metricsPort };
    }),
  });

  // If this process ends without stop(), as by an exception, nobody is left to look after the servers.
  const killAll = (): void => {
    for (const service of inStopOrder.flat()) service.kill();
  };
  process.once('exit', killAll);

  const takeDown = async (force: boolean): Promise<void> => {
    claim.recordStopping();
    rmSync(infoFile, { force: true });
    for (const end of unfollow) end();
    for (const services of inStopOrder) await Promise.all(services.map((service) => service.stop({ force })));
    process.removeListener('exit', killAll);
    claim.release();
  };

  return {
    async startStores() {
      await startAll([postgres, redis]);
    },
    async startGateways() {
      await startAll(gateways);
      for (const { name, log } of blueprint.gateways) unfollow.push(followProblems(name, log, say));
    },
    async startHaproxy() {
      await startAll([haproxy]);
      isComplete = true;
      writeInfo();
    },
    info,
    stop({ force = false } = {}) {
      stopped ??= takeDown(force);
      // Also those whose turn has not come yet.
      if (force) for (const service of inStopOrder.flat()) void service.stop({ force });
      return stopped;
    },
  };
}

/** Starts services side by side. If one fails, the others are not waited for. */
async function startAll(services: readonly Service[]): Promise<void> {
  await Promise.all(services.map((service) => service.start()));
}
