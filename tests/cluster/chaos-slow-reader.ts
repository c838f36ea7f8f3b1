/**
 * What a reader that stops costs its gateway: 500 messages a second of 1 KB in one room, one of its hearers does not read
 * for a minute. Prints the gateway's memory before, during and after.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { hmacKey, token } from '../support/tokens.ts';
import { startChaosCluster } from './chaos/cluster.ts';

const RATE = 500;
const STOPPED_S = 60;
const SENDERS = 10;
const TICK_MS = 20;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const dataDir = await mkdtemp(join(tmpdir(), 'parley-slow-'));
// Without answers to pings it would be cut off before its backlog is.
const env = { PING_INTERVAL_MS: '60000', PING_TIMEOUT_MS: '60000' };
const cluster = await startChaosCluster({ dataDir, replicas: 3, env });
try {
  const senders = await Promise.all(Array.from({ length: SENDERS }, (_, index) => connect(cluster.url, `s${index}`)));
  const joined = await Promise.all(
    senders.map((socket) => socket.emitWithAck('room:join', { name: 'busy', create: true })),
  );
  const roomId = (joined[0] as { data: { room: { id: string } } }).data.room.id;
  const reader = await connect(`http://127.0.0.1:${cluster.clientProxy.port}`, 'reader');
  let heard = 0;
  let last = '';
  reader.on('message:new', () => (heard += 1));
  reader.on('session:ended', ({ code }: { code: string }) => (last = code));
  await reader.emitWithAck('room:join', { roomId });
  const gateway = cluster.info.gateways.find(({ name }) => reader.io.engine.id?.startsWith(`${name}.`));
  if (!gateway) throw new Error(`The reader is on no gateway: ${reader.io.engine.id}`);

  let sent = 0;
  const content = 'x'.repeat(1_000);
  const begin = Date.now();
  const load = setInterval(() => {
    while (sent < ((Date.now() - begin) / 1_000) * RATE) {
      const socket = senders[sent % SENDERS] as Socket;
      socket.emit('message:send', { roomId, content, clientMsgId: `${(sent += 1)}` }, () => {});
    }
  }, TICK_MS);
  const watch = async (title: string, seconds: number): Promise<void> => {
    const [values, others]: [number[], number[]] = [[], []];
    for (let second = 0; second < seconds; second += 1) {
      await delay(1_000);
      values.push(await memoryOf(gateway.pid));
      for (const { pid } of cluster.info.gateways) if (pid !== gateway.pid) others.push(await memoryOf(pid));
    }
    const shown = values.filter((_, index) => index % 10 === 9).map((value) => value.toFixed(0));
    say(
      `${title}: ${shown.join(' ')} MB every 10 s, at most ${Math.max(...values).toFixed(0)} MB; other gateways at most ${Math.max(...others).toFixed(0)} MB; reader heard ${heard}`,
    );
  };
  await watch('before', 20);
  for (const link of cluster.clientProxy.links) link.hold();
  await watch('stopped', STOPPED_S);
  for (const link of cluster.clientProxy.links) link.resume();
  await watch('after', 30);
  say(
    `sent ${sent} in ${((Date.now() - begin) / 1_000).toFixed(0)} s; the reader's session ended with: ${last || 'nothing it heard of'}`,
  );
  clearInterval(load);
  for (const socket of [...senders, reader]) socket.close();
} finally {
  await cluster.stop();
  await rm(dataDir, { recursive: true });
}

async function connect(url: string, userId: string): Promise<Socket> {
  const auth = { token: await token(userId, {}, hmacKey(cluster.jwtSecret)) };
  const socket = io(url, { auth, transports: ['websocket'], forceNew: true });
  await new Promise<void>((resolve) => socket.once('session:ready', () => resolve()));
  return socket;
}

/** Resident, MB. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}
