import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Stage } from '../chaos/stage.ts';
import { waitUntil } from '../chaos/wait.ts';

/**
 * A second process of the same command line takes the port over and lets the first one finish its sessions (-sf), as a
 * reload does. Half of the clients come back through the new one meanwhile. In the end both are ended, and the launcher
 * starts its own again: all clients lose their line once.
 */
export const haproxyReload: Fault = {
  name: 'haproxy-reload',
  about: 'HAProxy is reloaded, then restarted',
  async strike(stage) {
    const { pid } = stage.cluster.info.haproxy;
    const successor = await takeOver(pid);
    try {
      stage.crowd.clients.forEach((client, index) => {
        if (index % 2 === 0) client.dropTransport();
      });
      await delay(5_000 * stage.pace);
    } finally {
      successor.kill('SIGKILL');
      await once(successor, 'exit').catch(() => {});
    }
    await restart(stage, pid);
  },
};

async function takeOver(pid: number): Promise<ChildProcess> {
  const [command, environment] = await Promise.all(
    ['cmdline', 'environ'].map(async (file) =>
      (await readFile(`/proc/${pid}/${file}`, 'utf8')).split('\0').filter(Boolean),
    ),
  );
  const [program = 'haproxy', ...args] = command ?? [];
  const env = Object.fromEntries(
    (environment ?? []).map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  const successor = spawn(program, [...args, '-sf', String(pid)], { env, stdio: 'ignore' });
  await once(successor, 'spawn');
  await delay(500);
  if (successor.exitCode !== null) throw new Error(`The second HAProxy ended with ${successor.exitCode}`);
  return successor;
}

async function restart({ cluster }: Stage, pid: number): Promise<void> {
  if (cluster.info.haproxy.pid === pid) process.kill(pid, 'SIGKILL');
  await waitUntil(async () => {
    if (cluster.info.haproxy.pid === pid) return false;
    return fetch(`${cluster.url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }, 30_000);
}
