import { join } from 'node:path';
import { startProcess, type Owner, type RunningProcess } from '@parley/test-support';
import { gatewayEnvironment, type Environment } from './environment.ts';

const MAIN = join(import.meta.dirname, '../../services/gateway/src/main.ts');

/** A gateway in a process of its own, which can be killed, and can die. */
export interface ChildGateway {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly metricsUrl: string;
  readonly process: RunningProcess;
  readonly isAlive: boolean;
  /** Its log lines of level `error` and `fatal`, and what Node prints of its own accord (warnings, stacks). */
  faults(): string[];
}

export interface ChildGateways {
  readonly databaseUrl: string;
  readonly environment: Environment;
  /** One more on the same stores. What is given wins over the environment of the others. */
  start(env?: Environment): Promise<ChildGateway>;
}

/** An own database and prefix for gateways that are processes. They are killed at the owner's end. */
export async function childGateways(owner: Owner, env: Environment = {}): Promise<ChildGateways> {
  const environment = { ...(await gatewayEnvironment(owner)), ...env };
  let started = 0;
  return {
    databaseUrl: environment['DATABASE_URL'] as string,
    environment,
    start: (more = {}) => {
      started += 1;
      return startChild(owner, { ...environment, GATEWAY_NAME: `child${started}`, ...more });
    },
  };
}

async function startChild(owner: Owner, env: Environment): Promise<ChildGateway> {
  const child = await startProcess(process.execPath, [MAIN], { owner, env, readyWhen: /"msg":"ready"\}/ });
  let isAlive = true;
  void child.exited.then(() => (isAlive = false));
  const ready = child.output.split('\n').find((line) => line.includes('"msg":"ready"}')) ?? '';
  const { port, metricsPort } = JSON.parse(ready) as { port: number; metricsPort: number };
  return {
    name: env['GATEWAY_NAME'] as string,
    host: '127.0.0.1',
    port,
    url: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    process: child,
    get isAlive() {
      return isAlive;
    },
    faults: () =>
      child.output.split('\n').filter((line) => line !== '' && !/^\{"level":"(debug|info|warn)"/.test(line)),
  };
}
