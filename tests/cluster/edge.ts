import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually, freePort, startProcess } from '@parley/test-support';
import type { Owner, RunningProcess } from '@parley/test-support';

export const START = resolve(import.meta.dirname, '../../deploy/haproxy/start.sh');
const ECHO = join(import.meta.dirname, 'echo-gateway.ts');

/** An answer, its body read. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Body;
}

/** What the stand-ins and HAProxy answer; which of these are there depends on the path. */
interface Body {
  sid: string;
  name: string;
  headers: IncomingHttpHeaders;
  posts: number;
  error: { code: string; message: string; retryAfterMs: number };
  text: string;
}

/** HAProxy as `npm start` and compose run it, in front of stand-ins for gateways. */
export interface Edge {
  port: number;
  statsPort: number;
  gateways: { name: string; port: number; process: RunningProcess; restart: () => Promise<void> }[];
}

export async function startEdge(owner: Owner, env: Record<string, string> = {}, replicas = 2): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-haproxy-'));
  owner.after(() => rm(folder, { recursive: true }));
  const gateways: Edge['gateways'] = [];
  const addresses: string[] = [];
  for (let index = 1; index <= replicas; index++) {
    const name = `gateway${index}`;
    const [port, checkPort] = [await freePort(), await freePort()];
    const start = (): Promise<RunningProcess> =>
      startProcess(process.execPath, [ECHO], {
        owner,
        env: { PORT: String(port), METRICS_PORT: String(checkPort), NAME: name },
        readyWhen: /listening/,
      });
    const gateway = {
      name,
      port,
      process: await start(),
      async restart() {
        gateway.process = await start();
      },
    };
    gateways.push(gateway);
    addresses.push(`${name}=127.0.0.1:${port},${checkPort}`);
  }
  const [port, statsPort] = [await freePort(), await freePort()];
  await startProcess('sh', [START, '-db'], {
    owner,
    env: {
      GATEWAYS: addresses.join(' '),
      BIND: `127.0.0.1:${port}`,
      STATS_BIND: `127.0.0.1:${statsPort}`,
      CONFIG_FILE: join(folder, 'haproxy.cfg'),
      RATE_CONNECT: undefined,
      EDGE_PROXIES: undefined,
      ...env,
    },
  });
  const edge = { port, statsPort, gateways };
  await eventually(async () => assert.equal((await ask(edge, '/')).status, 200));
  return edge;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  /** Which address of this machine asks. */
  from?: string;
}

/** Asks on a connection of its own. */
export function ask({ port }: { port: number }, path: string, { method = 'GET', headers = {}, from }: Question = {}) {
  return new Promise<Answer>((done, fail) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false, timeout: 10_000 };
    const asked = request({ ...options, ...(from === undefined ? {} : { localAddress: from }) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const isJson = response.headers['content-type']?.startsWith('application/json') === true;
        done({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: (isJson ? JSON.parse(text) : { text }) as Body,
        });
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`${path} was not answered`)));
    asked.on('error', fail);
    asked.end();
  });
}

/** What HAProxy thinks of a gateway: `UP`, `NOLB` (draining) or `DOWN`. */
export function stateOf(edge: Edge, gateway: string): Promise<string> {
  return statisticOf(edge, gateway, 'status');
}

/** How many connections HAProxy has to a gateway. */
export async function connectionsOf(edge: Edge, gateway: string): Promise<number> {
  return Number(await statisticOf(edge, gateway, 'scur'));
}

/** How often HAProxy has taken a gateway for dead. */
export async function deathsOf(edge: Edge, gateway: string): Promise<number> {
  return Number(await statisticOf(edge, gateway, 'chkdown'));
}

async function statisticOf(edge: Edge, gateway: string, column: string): Promise<string> {
  const { body } = await ask({ port: edge.statsPort }, '/;csv');
  const lines = body.text.split('\n');
  const row = lines.find((line) => line.startsWith(`gateways,${gateway},`)) ?? '';
  return row.split(',')[lines[0]?.split(',').indexOf(column) ?? -1] ?? '';
}
