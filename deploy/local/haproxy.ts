import { join } from 'node:path';
import { edgeAddressOf } from './gateways.ts';
import { answersOk } from './http-check.ts';
import type { LogFile } from './logs.ts';
import type { Program } from './programs.ts';
import type { ServiceDefinition } from './service.ts';
import type { SystemUser } from './system-user.ts';

/** Where and how HAProxy is to run. */
export interface HaproxyOptions {
  program: Program;
  /** The checkout. */
  root: string;
  dataDir: string;
  /** Addresses to listen on, see `listenAddresses`. */
  addresses: readonly string[];
  port: number;
  statsPort: number;
  gateways: readonly { name: string; port: number; metricsPort: number }[];
  /** RATE_CONNECT, EDGE_PROXIES and the heartbeat are read from it. */
  env: NodeJS.ProcessEnv;
  /** Whom it becomes once it listens, if this process is root. */
  user: SystemUser | undefined;
  log: LogFile;
}

/** HAProxy in front of the gateways, with the configuration of deploy/haproxy. */
export function defineHaproxy(options: HaproxyOptions): ServiceDefinition {
  const { program, root, dataDir, addresses, port, statsPort, gateways, env, user, log } = options;
  return {
    name: 'haproxy',
    title: 'HAProxy',
    log,
    command: {
      program: 'sh',
      // One process, no master beside it: its pid is the one that carries the traffic, so that a signal does what it
      // says. -dR keeps two clusters from sharing a port in silence.
      args: [join(root, 'deploy/haproxy/start.sh'), '-db', '-dR'],
      cwd: dataDir,
      env: {
        PATH: env['PATH'],
        HAPROXY: program.path,
        CONFIG_FILE: join(dataDir, 'haproxy.cfg'),
        BIND: addresses.map((address) => `${bracketed(address)}:${port}`).join(','),
        STATS_BIND: `127.0.0.1:${statsPort}`,
        GATEWAYS: gateways
          .map((gateway) => `${gateway.name}=${edgeAddressOf(gateway)},${gateway.metricsPort}`)
          .join(' '),
        RATE_CONNECT: env['RATE_CONNECT'],
        EDGE_PROXIES: env['EDGE_PROXIES'],
        PING_INTERVAL_MS: env['PING_INTERVAL_MS'],
        PING_TIMEOUT_MS: env['PING_TIMEOUT_MS'],
        ...(user === undefined ? {} : { RUN_AS_UID: String(user.uid), RUN_AS_GID: String(user.gid) }),
      },
    },
    // Through HAProxy to a gateway that it knows to be ready.
    isReady: () => answersOk(`http://${urlHost(addresses)}:${port}/health/ready`),
    startTimeoutMs: 15_000,
    stopSteps: [
      { signal: 'SIGTERM', forMs: 5_000 },
      { signal: 'SIGKILL', forMs: 5_000 },
    ],
  };
}

/** The host part of a URL that reaches one of these addresses from this machine. */
export function urlHost(addresses: readonly string[]): string {
  const [first = '127.0.0.1'] = addresses;
  return first === '0.0.0.0' ? '127.0.0.1' : bracketed(first);
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
