// npm start: the only file of the launcher that touches the process. Everything else is a library (cluster.ts).
import { isAbsolute, relative } from 'node:path';
import { banner } from './banner.ts';
import { startCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { signDemoToken } from './demo-token.ts';
import { readSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';

// One Ctrl-C may arrive several times: from the terminal, and passed on by npm and by a parent process.
const SAME_SIGNAL_MS = 1_000;

const env = process.env;
const say = (line: string): void => console.log(line);
const startAborter = new AbortController();
let cluster: Cluster | undefined;
let stopAskedAt: number | undefined;

function onStopSignal(): void {
  const now = Date.now();
  if (stopAskedAt === undefined) {
    stopAskedAt = now;
    if (cluster === undefined) startAborter.abort();
    else void stop(cluster);
  } else if (now - stopAskedAt > SAME_SIGNAL_MS) {
    say('Stopping at once');
    process.exitCode = 1;
    if (cluster === undefined) process.exit();
    void cluster.stop({ force: true });
  }
}

async function stop(running: Cluster): Promise<void> {
  say('Stopping: the gateways let their clients go, then the rest ends (once more to stop at once)');
  await running.stop();
  say('Stopped');
  release();
}

/** Lets the process end: the channel to the parent would keep it. */
function release(): void {
  process.removeListener('disconnect', onStopSignal);
  if (process.connected) process.disconnect();
}

function announce(settings: Settings, { url, info, jwtSecret }: Cluster): void {
  const isPublic = settings.host === undefined || settings.host === '0.0.0.0' || settings.host === '::';
  say(
    banner({
      url: isPublic ? `http://localhost:${settings.port}` : url,
      isPublic,
      statsUrl: info.haproxy.statsUrl,
      dataDir: shortPath(settings.dataDir),
      token: signDemoToken({ secret: jwtSecret, audience: env['JWT_AUDIENCE'], issuer: env['JWT_ISSUER'] }),
    }),
  );
}

function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}

// Whoever read our words may go away first: a closed terminal, or `npm start | head`. The cluster does not mind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onStopSignal);
// The process that started this one was killed (bootstrap/give-way.mjs): nobody is left who could stop the cluster.
process.on('disconnect', onStopSignal);

try {
  const settings = readSettings(env);
  cluster = await startCluster({ ...settings, env, log: say, signal: startAborter.signal });
  announce(settings, cluster);
} catch (error) {
  if (startAborter.signal.aborted) {
    say('Stopped');
  } else {
    process.exitCode = 1;
    if (error instanceof StartError) console.error(`\n${error.message}`);
    else console.error(error);
  }
  release();
}
