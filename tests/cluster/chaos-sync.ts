/**
 * How long one `rooms:sync` of 200 rooms takes after an absence, and how many queries it costs:
 *
 *   node tests/cluster/chaos-sync.ts [messages missed in each room, default 5]
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { hmacKey, token } from '../support/tokens.ts';
import { startChaosCluster } from './chaos/cluster.ts';
import { TruthReader } from './chaos/read-truth.ts';

const ROOMS = 200;
const TIMES = 5;
const missed = Number(process.argv[2] ?? 5);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const dataDir = await mkdtemp(join(tmpdir(), 'parley-sync-'));
const cluster = await startChaosCluster({ dataDir, replicas: 3 });
const truth = new TruthReader(cluster.info.postgres.url);
try {
  const ann = await connect('ann');
  const bob = await connect('bob');
  const roomIds: string[] = [];
  for (let index = 0; index < ROOMS; index += 1) {
    const { room } = await ask<{ room: { id: string } }>(ann, 'room:create', { name: `sync ${index}` });
    roomIds.push(room.id);
    await ask(bob, 'room:join', { roomId: room.id });
  }
  bob.close();
  for (const roomId of roomIds) {
    for (let count = 0; count < missed; count += 1) {
      await ask(ann, 'message:send', { roomId, content: 'while you were away', clientMsgId: `${count}` });
    }
  }
  await truth.run("alter system set log_line_prefix = '%a '");
  await truth.run('alter system set log_min_duration_statement = 0');
  await truth.run('select pg_reload_conf()');
  await delay(1_000);
  for (let times = 0; times < TIMES; times += 1) {
    const again = await connect('bob');
    await delay(500);
    const linesBefore = (await readLog()).length;
    const startedAt = performance.now();
    const { rooms } = await ask<{ rooms: { ok: boolean; messages?: unknown[] }[] }>(again, 'rooms:sync', {
      rooms: roomIds.map((roomId) => ({ roomId, seq: 0, rev: 0 })),
    });
    const ms = performance.now() - startedAt;
    const messages = rooms.flatMap((room) => room.messages ?? []).length;
    const lines = (await readLog()).slice(linesBefore);
    const queries = lines.filter((line) => line.startsWith('parley ') && / execute /.test(line));
    say(
      `${rooms.filter(({ ok }) => ok).length} rooms, ${messages} messages: ${ms.toFixed(0)} ms, ${queries.length} queries`,
    );
    if (times === 0) for (const line of queries) say(`  ${line.replace(/\s+/g, ' ').slice(0, 150)}`);
    again.close();
    await delay(300);
  }
  ann.close();
} finally {
  await truth.close();
  await cluster.stop();
  await rm(dataDir, { recursive: true });
}

async function readLog(): Promise<string[]> {
  return (await readFile(join(dataDir, 'logs/postgres.log'), 'utf8')).split('\n');
}

async function connect(userId: string): Promise<Socket> {
  const socket = io(cluster.url, {
    auth: { token: await token(userId, {}, hmacKey(cluster.jwtSecret)) },
    transports: ['websocket'],
    forceNew: true,
  });
  await new Promise<void>((resolve) => socket.once('session:ready', () => resolve()));
  return socket;
}

async function ask<Data>(socket: Socket, event: string, payload: unknown): Promise<Data> {
  const answer = (await socket.emitWithAck(event, payload)) as { ok: boolean; data: Data };
  if (!answer.ok) throw new Error(`${event}: ${JSON.stringify(answer)}`);
  return answer.data;
}
