/**
 * A fan-out and nothing else, as the mark of what the wire allows: `ws`, no store, no adapter, no tokens. It speaks the
 * same packets as the others, so that the same bytes travel. A room lives in one process: clients name it in the session
 * id that they ask for, by which HAProxy routes them.
 *
 * GATHER_MS: how long what is to be sent is gathered, and then written at once; 0 writes each message by itself.
 */
import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { listenLocally } from '../../services/gateway/src/platform/http/local-socket.ts';
import { encodeText } from './text-frame.ts';

const { HOST = '127.0.0.1', PORT = '3000', LOCAL_SOCKET = '', GATHER_MS = '0' } = process.env;
const { METRICS_HOST = '127.0.0.1', METRICS_PORT = '9100' } = process.env;
const gatherMs = Number(GATHER_MS);

interface Room {
  id: string;
  head: number;
  wires: Set<Socket>;
  gathered: Buffer[];
}

const rooms = new Map<string, Room>();
let users = 0;

const answerCheck: RequestListener = ({ url }, response) => {
  response.writeHead(url === '/health/ready' ? 200 : 404).end();
};
const http = createServer(answerCheck);
const server = new WebSocketServer({ server: http, perMessageDeflate: false, skipUTF8Validation: true });

server.on('connection', (client, { socket }) => {
  const userId = `user-${(users += 1)}`;
  const joined: Room[] = [];
  client.send('0{"sid":"bare","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
  client.on('message', (data: Buffer) => receive({ client, wire: socket, userId, joined }, data.toString()));
  client.on('close', () => {
    for (const room of joined) room.wires.delete(socket);
  });
});
createServer(answerCheck).listen(Number(METRICS_PORT), METRICS_HOST);
http.listen(Number(PORT), HOST);
if (LOCAL_SOCKET !== '') await listenLocally(http, LOCAL_SOCKET);
process.once('SIGTERM', () => process.exit());

interface Session {
  client: WebSocket;
  wire: Socket;
  userId: string;
  joined: Room[];
}

function receive(session: Session, packet: string): void {
  if (packet.startsWith('40')) {
    session.client.send('40{"sid":"bare"}');
    return;
  }
  const request = /^42(\d+)/.exec(packet);
  if (request === null) return;
  const [event, input] = JSON.parse(packet.slice(request[0].length)) as [string, Record<string, string>];
  const data = event === 'room:join' ? join(session, input) : send(session, input);
  session.client.send(`43${request[1]}[${JSON.stringify({ ok: true, data })}]`);
}

function join({ wire, joined }: Session, { name = '' }: Record<string, string>): object {
  const room = rooms.get(name) ?? { id: crypto.randomUUID(), head: 0, wires: new Set<Socket>(), gathered: [] };
  rooms.set(name, room);
  rooms.set(room.id, room);
  room.wires.add(wire);
  joined.push(room);
  return { room: { id: room.id, name, headSeq: room.head }, messages: [], truncated: false };
}

function send({ userId }: Session, { roomId = '', content, clientMsgId }: Record<string, string>): object {
  const room = rooms.get(roomId);
  if (room === undefined) throw new Error(`nobody joined the room ${roomId}`);
  room.head += 1;
  const message = {
    id: crypto.randomUUID(),
    roomId,
    seq: room.head,
    sender: { id: userId, name: userId },
    content,
    clientMsgId,
    createdAt: new Date().toISOString(),
  };
  const frame = encodeText(`42["message:new",${JSON.stringify(message)}]`);
  if (gatherMs === 0) {
    for (const wire of room.wires) wire.write(frame);
  } else {
    if (room.gathered.length === 0) setTimeout(flush, gatherMs, room);
    room.gathered.push(frame);
  }
  return { message, duplicate: false };
}

function flush(room: Room): void {
  const frames = Buffer.concat(room.gathered.splice(0));
  for (const wire of room.wires) wire.write(frames);
}
