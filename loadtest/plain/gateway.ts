/**
 * The cluster that tutorials build, as the yardstick for what Parley's guarantees cost: Socket.IO, its Redis adapter,
 * one transaction a message, `io.to(room).emit`. Same events, shapes and proxy; no order, no repair, no limits.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { jwtVerify } from 'jose';
import pg from 'pg';
import { Server, type Socket } from 'socket.io';
import { listenLocally } from '../../services/gateway/src/platform/http/local-socket.ts';

const { HOST = '127.0.0.1', PORT = '3000', LOCAL_SOCKET = '', GATEWAY_NAME = 'plain' } = process.env;
const { METRICS_HOST = '127.0.0.1', METRICS_PORT = '9100', REDIS_URL = '', DATABASE_URL = '' } = process.env;
const secret = new TextEncoder().encode(process.env['JWT_SECRET'] ?? '');
if (secret.length < 32) throw new Error('JWT_SECRET must have at least 32 bytes');

interface Input {
  roomId?: string;
  name?: string;
  history?: number;
  content?: string;
  clientMsgId?: string;
}

interface Ack {
  (answer: { ok: true; data: unknown } | { ok: false; error: { code: string; message: string } }): void;
}

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
await pool.query(`
  select pg_advisory_xact_lock(1);
  create schema if not exists plain;
  create table if not exists plain.rooms (id uuid primary key, name text not null unique, head bigint not null default 0);
  create table if not exists plain.messages (
    room_id uuid, seq bigint, id uuid not null, sender_id text not null, content text not null,
    client_msg_id text not null, created_at timestamptz not null default now(), primary key (room_id, seq)
  )`);

const answerCheck: RequestListener = ({ url }, response) => {
  response.writeHead(url === '/health/ready' ? 200 : 404).end();
};
const http = createServer(answerCheck);
const io = new Server(http, {
  adapter: createAdapter(new Redis(REDIS_URL), new Redis(REDIS_URL)),
  perMessageDeflate: false,
});
io.engine.generateId = ({ headers }: IncomingMessage) =>
  `${String(headers['x-gateway'] ?? GATEWAY_NAME)}.${randomBytes(15).toString('base64url')}`;

io.use((socket, next) => {
  jwtVerify(String(socket.handshake.auth['token']), secret, { algorithms: ['HS256'] }).then(
    ({ payload }) => {
      socket.data = { id: payload.sub, name: payload['name'] ?? payload.sub };
      next();
    },
    () => next(new Error('UNAUTHORIZED')),
  );
});

io.on('connection', (socket) => {
  answer(socket, 'room:join', async ({ roomId, name = '', history = 50 }) => {
    const room = roomId ? await findRoom(roomId) : await makeRoom(name);
    await socket.join(room.id);
    const { rows } = await pool.query('select * from plain.messages where room_id = $1 order by seq desc limit $2', [
      room.id,
      history,
    ]);
    return { room, messages: rows.reverse().map(toMessage), truncated: room.headSeq > rows.length };
  });
  answer(socket, 'message:send', async ({ roomId = '', content, clientMsgId }) => {
    const row = await store([randomUUID(), roomId, socket.data.id, content, clientMsgId]);
    const message = { ...toMessage(row), sender: socket.data };
    io.to(roomId).emit('message:new', message);
    return { message, duplicate: false };
  });
});

createServer(answerCheck).listen(Number(METRICS_PORT), METRICS_HOST);
http.listen(Number(PORT), HOST);
if (LOCAL_SOCKET !== '') await listenLocally(http, LOCAL_SOCKET);
process.once('SIGTERM', () => process.exit());

function answer(socket: Socket, event: string, act: (input: Input) => Promise<unknown>): void {
  socket.on(event, (input: Input, ack: Ack) => {
    act(input).then(
      (data) => ack({ ok: true, data }),
      (error: unknown) => ack({ ok: false, error: { code: 'INTERNAL', message: String(error) } }),
    );
  });
}

async function store(values: unknown[]): Promise<pg.QueryResultRow> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows: heads } = await client.query('update plain.rooms set head = head + 1 where id = $1 returning head', [
      values[1],
    ]);
    const { rows } = await client.query(
      `insert into plain.messages (id, room_id, sender_id, content, client_msg_id, seq)
       values ($1, $2, $3, $4, $5, $6) returning *`,
      [...values, heads[0]?.head],
    );
    await client.query('commit');
    return rows[0] as pg.QueryResultRow;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function findRoom(id: string): Promise<{ id: string; name: string; headSeq: number }> {
  const { rows } = await pool.query('select id, name, head from plain.rooms where id = $1', [id]);
  if (!rows[0]) throw new Error('NOT_FOUND');
  return { id: rows[0].id, name: rows[0].name, headSeq: Number(rows[0].head) };
}

/** The id comes from the name, so that replicas that make a room at once make the same. */
async function makeRoom(name: string): Promise<{ id: string; name: string; headSeq: number }> {
  const id = createHash('md5')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  await pool.query('insert into plain.rooms (id, name) values ($1, $2) on conflict do nothing', [id, name]);
  return findRoom(id);
}

function toMessage(row: pg.QueryResultRow): object {
  return {
    id: row['id'],
    roomId: row['room_id'],
    seq: Number(row['seq']),
    sender: { id: row['sender_id'], name: row['sender_id'] },
    content: row['content'],
    clientMsgId: row['client_msg_id'],
    createdAt: row['created_at'],
  };
}
