import assert from 'node:assert/strict';
import type { Owner } from '@parley/test-support';
import { createGateway } from '../../services/gateway/src/app.ts';
import { readConfig } from '../../services/gateway/src/config.ts';
import { createLog } from '../../services/gateway/src/platform/log.ts';
import { gatewayEnvironment, type Environment } from './environment.ts';

/** A gateway as a client knows it: an address. */
export interface TestGateway {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly metricsUrl: string;
  stop(): Promise<void>;
}

export interface Gateways {
  /** In the order they were started. */
  readonly all: readonly TestGateway[];
  readonly databaseUrl: string;
  readonly environment: Environment;
  /** One more on the same stores. What is given wins over the environment of the others. */
  start(env?: Environment): Promise<TestGateway>;
  /** Log lines of level `error` and `fatal`. The owner fails at its end when any are left. */
  readonly faults: string[];
}

/** `count` gateways in this process, on one new database and one prefix in Redis. */
export async function startGateways(owner: Owner, count: number, env: Environment = {}): Promise<Gateways> {
  const running: { stop(): Promise<void> }[] = [];
  const faults: string[] = [];
  owner.after(async () => {
    await Promise.all(running.map((gateway) => gateway.stop()));
    assert.deepEqual(
      faults.map((line) => line.slice(0, 800)),
      [],
      'gateways logged faults of their own',
    );
  });
  const environment = { ...(await gatewayEnvironment(owner)), ...env };
  const all: TestGateway[] = [];

  const start = async (more: Environment = {}): Promise<TestGateway> => {
    const name = `g${all.length + 1}`;
    const write = (line: string) => {
      if (/"level":"(error|fatal)"/.test(line)) faults.push(line);
    };
    const config = readConfig({ ...environment, GATEWAY_NAME: name, ...more });
    const gateway = await createGateway(config, createLog({ level: 'info', name }, { write }));
    running.push(gateway);
    const started = {
      name,
      host: '127.0.0.1',
      port: gateway.port,
      url: `http://127.0.0.1:${gateway.port}`,
      metricsUrl: `http://127.0.0.1:${gateway.metricsPort}`,
      stop: () => gateway.stop(),
    };
    all.push(started);
    return started;
  };

  for (let index = 0; index < count; index += 1) await start();
  return { all, databaseUrl: environment['DATABASE_URL'] as string, environment, start, faults };
}

/** The gateway at a place of the list. Throws when fewer were started. */
export function gatewayAt(gateways: Gateways, index: number): TestGateway {
  const gateway = gateways.all[index];
  if (gateway === undefined) throw new Error(`only ${gateways.all.length} gateways were started`);
  return gateway;
}
