import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Stage } from '../chaos/stage.ts';
import { waitUntil } from '../chaos/wait.ts';

const BACK_MS = 60_000;

interface Process {
  name: string;
  pid: number;
}

/** One that has clients: a gateway that has just come back has none yet, and nobody would miss it. */
async function anyGateway({ cluster, random }: Stage): Promise<Process> {
  const { gateways } = cluster.info;
  const sockets = await Promise.all(gateways.map(({ metricsPort }) => countSockets(metricsPort)));
  const some = Math.max(1, Math.max(...sockets) / 2);
  return random.pick(gateways.filter((_, index) => (sockets[index] ?? 0) >= some));
}

async function countSockets(metricsPort: number): Promise<number> {
  try {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal: AbortSignal.timeout(1_000) });
    return Number(/^parley_sockets (\d+)$/m.exec(await answer.text())?.[1]);
  } catch {
    return 0;
  }
}

/** The launcher has started a new process, and it is ready. cluster.json names the old one until then. */
async function comesBack({ cluster }: Stage, { name, pid }: Process): Promise<void> {
  await waitUntil(async () => {
    const now = cluster.info.gateways.find((gateway) => gateway.name === name);
    return now !== undefined && now.pid !== pid && (await isReady(now.port));
  }, BACK_MS);
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

/** A gateway ends by a signal, and another process is started in its place. */
const endedBy = (signal: NodeJS.Signals, name: string, about: string): Fault => ({
  name,
  about,
  async strike(stage) {
    const gateway = await anyGateway(stage);
    process.kill(gateway.pid, signal);
    await comesBack(stage, gateway);
  },
});

export const killGateway = endedBy('SIGKILL', 'kill-gateway', 'kill -9 of a gateway');

export const pauseGateway: Fault = {
  name: 'pause-gateway',
  about: 'SIGSTOP of a gateway for 10 s',
  async strike(stage) {
    const { pid } = await anyGateway(stage);
    process.kill(pid, 'SIGSTOP');
    await delay(10_000 * stage.pace);
    process.kill(pid, 'SIGCONT');
  },
};

export const stopGateway = endedBy(
  'SIGTERM',
  'stop-gateway',
  'SIGTERM of a gateway: it drains, and a new one is started',
);

export const rollingRestart: Fault = {
  name: 'rolling-restart',
  about: 'SIGTERM of all gateways, one after the other',
  async strike(stage) {
    for (const gateway of stage.cluster.info.gateways) {
      process.kill(gateway.pid, 'SIGTERM');
      await comesBack(stage, gateway);
      await delay(1_500); // HAProxy has to notice
    }
  },
};
