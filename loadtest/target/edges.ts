import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ClusterInfo } from '../../deploy/local/cluster-run.ts';
import { defineHaproxy } from '../../deploy/local/haproxy.ts';
import { openLog } from '../../deploy/local/logs.ts';
import { chooseFreePorts } from '../../deploy/local/ports.ts';
import { findOrInstallServers } from '../../deploy/local/servers.ts';
import { superviseService } from '../../deploy/local/service.ts';
import { findServerUser } from '../../deploy/local/system-user.ts';

const HOST = '127.0.0.1';

/** A further HAProxy in front of the same gateways, on a port of its own. */
export interface Edge {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface EdgeOptions {
  info: ClusterInfo;
  /** Of the cluster. */
  dataDir: string;
  /** `edge2`, `edge3`, ... */
  name: string;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
}

/**
 * Starts one more HAProxy with the configuration of the first. A proxied connection takes two file descriptors, so where
 * a process may have 20,000, one HAProxy carries just under 10,000 sockets.
 */
export async function startEdge({ info, dataDir, name, env, log }: EdgeOptions): Promise<Edge> {
  const [port = 0, statsPort = 0] = await chooseFreePorts(2);
  const ownDir = join(resolve(dataDir), name);
  mkdirSync(ownDir, { mode: 0o700 });
  const { haproxy } = await findOrInstallServers(dataDir, undefined, log);
  const definition = defineHaproxy({
    program: haproxy,
    root: resolve(import.meta.dirname, '../..'),
    dataDir: ownDir,
    addresses: [HOST],
    port,
    statsPort,
    gateways: info.gateways,
    env,
    user: findServerUser(['haproxy', '_www', 'nobody']),
    log: openLog(dataDir, name),
  });
  const service = superviseService(
    { ...definition, name },
    { restart: true, events: { onProcess: () => {}, onReturn: () => {}, say: log } },
  );
  const kill = (): void => service.kill();
  process.once('exit', kill);
  await service.start();
  return {
    url: `http://${HOST}:${port}`,
    get pid() {
      return service.pid;
    },
    async stop() {
      await service.stop();
      process.removeListener('exit', kill);
    },
  };
}
