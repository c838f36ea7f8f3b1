import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, startProcess, type Owner, type RunningProcess } from '@parley/test-support';

const START = join(import.meta.dirname, '../../deploy/haproxy/start.sh');

export interface HaproxyOptions {
  owner: Owner;
  gateways: readonly { name: string; port: number }[];
  /** Default: a free one. */
  port?: number;
  /** Variables of deploy/haproxy/start.sh, to add or replace. */
  env?: Record<string, string>;
}

export interface Haproxy {
  readonly port: number;
  readonly url: string;
  readonly process: RunningProcess;
}

/** HAProxy as it is deployed, on 127.0.0.1, in front of servers of this machine. Waits until one answers through it. */
export async function startHaproxy({ owner, gateways, port, env }: HaproxyOptions): Promise<Haproxy> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-haproxy-'));
  owner.after(() => rm(folder, { recursive: true, force: true }));
  const publicPort = port ?? (await freePort());
  const process = await startProcess('sh', [START], {
    owner,
    env: {
      GATEWAYS: gateways.map((gateway) => `${gateway.name}=127.0.0.1:${gateway.port}`).join(' '),
      BIND: `127.0.0.1:${publicPort}`,
      STATS_BIND: `127.0.0.1:${await freePort()}`,
      CONFIG_FILE: join(folder, 'haproxy.cfg'),
      ...env,
    },
  });
  const url = `http://127.0.0.1:${publicPort}`;
  await eventually(
    async () => {
      const { status } = await fetch(`${url}/health/ready`);
      if (status !== 200) throw new Error(`/health/ready answers ${status}; HAProxy printed:\n${process.output}`);
    },
    { message: 'waiting for HAProxy' },
  );
  return { port: publicPort, url, process };
}
