import { join } from 'node:path';
import { answersOk } from './http-check.ts';
import type { LogFile } from './logs.ts';
import type { ServiceDefinition } from './service.ts';

/**
 * What Node is started with for a gateway, so that idle connections cost little (docs/operating.md, "Memory"). V8 takes
 * them only from the command line. The image's CMD has the same.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16', '--heap-growing-percent=50'];

/**
 * Where HAProxy finds a gateway of this machine, as its configuration says it. On Linux by a Unix socket: with TCP a
 * delivery costs the machine a quarter more (docs/performance.md).
 */
export function edgeAddressOf({ port }: { port: number }): string {
  const name = localSocketOf(port);
  return name === undefined ? `127.0.0.1:${port}` : `abns@${name}`;
}

/** The port is nobody else's, so neither is the name. Undefined where there are no abstract sockets. */
function localSocketOf(port: number): string | undefined {
  return process.platform === 'linux' ? `parley-gateway-${port}` : undefined;
}

/** Where and how one gateway is to run. */
export interface GatewayOptions {
  /** `gateway1`, `gateway2`, ...: HAProxy knows it by the same name. */
  name: string;
  port: number;
  metricsPort: number;
  /** The checkout. */
  root: string;
  dataDir: string;
  /** The launcher's own, from which the gateway's settings come. */
  env: NodeJS.ProcessEnv;
  databaseUrl: string;
  redisUrl: string;
  jwtSecret: string;
  log: LogFile;
}

const DEFAULT_DRAIN_MS = 10_000;
// After the drain it still flushes, and closes its stores.
const AFTER_DRAIN_MS = 8_000;

/** A gateway on 127.0.0.1, run by the same Node as this process. */
export function defineGateway(options: GatewayOptions): ServiceDefinition {
  const { name, port, metricsPort, root, dataDir, env } = options;
  const drainMs = Number(env['DRAIN_MS'] || DEFAULT_DRAIN_MS);
  return {
    name,
    title: name,
    log: options.log,
    command: {
      program: process.execPath,
      args: [...NODE_FLAGS, join(root, 'services/gateway/src/main.ts')],
      cwd: root,
      env: {
        // Starts faster from the second time on.
        NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
        ...env,
        GATEWAY_NAME: name,
        HOST: '127.0.0.1',
        PORT: String(port),
        LOCAL_SOCKET: localSocketOf(port),
        METRICS_HOST: '127.0.0.1',
        METRICS_PORT: String(metricsPort),
        DATABASE_URL: options.databaseUrl,
        REDIS_URL: options.redisUrl,
        JWT_SECRET: options.jwtSecret,
        // Only HAProxy talks to it, from this machine.
        TRUSTED_PROXIES: 'loopback',
      },
    },
    isReady: () => answersOk(`http://127.0.0.1:${port}/health/ready`),
    startTimeoutMs: 60_000,
    stopSteps: [
      { signal: 'SIGTERM', forMs: (Number.isFinite(drainMs) ? drainMs : DEFAULT_DRAIN_MS) + AFTER_DRAIN_MS },
      { signal: 'SIGKILL', forMs: 5_000 },
    ],
  };
}
