/** A chat of one process for the tests of the generator, which makes the mistakes that it is told to make. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Owner } from '@parley/test-support';
import { WebSocketServer, type WebSocket } from 'ws';

/** What is sent to a hearer in place of a message; it may also keep it for later. */
export type Fault = (packet: string, seq: number) => string[];

/** Takes a join: answers it, at once or later, or does something else with the client. */
export type Join = (answer: () => void, client: WebSocket) => void;

/** A message as the server keeps it. */
export interface Kept {
  seq: number;
}

export interface ChatServer {
  url: string;
  /** Ends the connections of all clients, or of those of one gateway. */
  hangUp(gateway?: string): void;
  /** Keeps a message in every room of which nobody is told. */
  keepInSilence(): void;
  /** How many messages each room has. */
  heads(): number[];
}

export interface Mistakes {
  fault?: Fault;
  /** @returns the code with which a send is refused */
  refuses?: (send: number) => string | undefined;
  join?: Join;
  /** @returns the code with which the CONNECT of a connection is refused, counted from 1 */
  connect?: (connection: number) => string | undefined;
  /** @returns what a sync brings of what it should bring */
  sync?: (messages: Kept[]) => Kept[];
}

/** The gateways as which it takes turns. */
const GATEWAYS = ['gateway1', 'gateway2'];

export async function startChatServer(owner: Owner, mistakes: Mistakes = {}): Promise<ChatServer> {
  const { fault = (packet) => [packet], refuses = () => undefined, join = (answer) => answer() } = mistakes;
  const { connect = () => undefined, sync = (messages) => messages } = mistakes;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const rooms = new Map<string, { messages: Kept[]; hearers: Set<WebSocket> }>();
  const gateways = new Map<WebSocket, string>();
  let connections = 0;
  let sends = 0;
  server.on('connection', (client) => {
    const gateway = GATEWAYS[connections % GATEWAYS.length] ?? '';
    const refusal = connect((connections += 1));
    gateways.set(client, gateway);
    client.on('close', () => {
      gateways.delete(client);
      for (const { hearers } of rooms.values()) hearers.delete(client);
    });
    client.send(`0{"sid":"${gateway}.test"}`);
    client.on('message', (data: Buffer) => {
      const packet = data.toString();
      if (packet.startsWith('40')) {
        client.send(refusal === undefined ? '40{"sid":"test"}' : `44{"message":"${refusal}"}`);
      }
      const [, ack] = /^42(\d+)/.exec(packet) ?? [];
      if (ack === undefined) return;
      const [event, input] = JSON.parse(packet.slice(2 + ack.length)) as [string, Input];
      const [{ roomId: synced, seq: last } = { roomId: undefined, seq: 0 }] = input.rooms ?? [];
      const roomId = input.roomId ?? input.name ?? synced ?? '';
      const room = rooms.get(roomId) ?? { messages: [], hearers: new Set() };
      const headSeq = room.messages.length;
      rooms.set(roomId, room);
      const answer = (body: object): void => client.send(`43${ack}${JSON.stringify([body])}`);
      if (event === 'room:join') {
        return join(() => {
          room.hearers.add(client);
          answer({ ok: true, data: { room: { id: roomId, headSeq } } });
        }, client);
      }
      if (event === 'rooms:sync') {
        room.hearers.add(client);
        const messages = sync(room.messages.filter(({ seq }) => seq > last));
        const entry = { roomId, ok: true, room: { headSeq }, messages, truncated: false };
        return answer({ ok: true, data: { rooms: [entry] } });
      }
      if (event === 'message:history') {
        return answer({ ok: true, data: { messages: room.messages.slice(-1), hasMore: headSeq > 1 } });
      }
      const code = refuses((sends += 1));
      if (code !== undefined) return answer({ ok: false, error: { code } });
      const { content, clientMsgId } = input;
      const seq = headSeq + 1;
      const message = { id: 'm', roomId, seq, sender: { id: 'u', name: 'u' }, content, clientMsgId };
      room.messages.push(message);
      for (const hearer of room.hearers) {
        for (const line of fault(`42${JSON.stringify(['message:new', message])}`, seq)) hearer.send(line);
      }
      answer({ ok: true, data: { message } });
    });
  });
  await once(server, 'listening');
  const hangUp = (gateway?: string): void => {
    for (const [client, its] of gateways) if (gateway === undefined || its === gateway) client.terminate();
  };
  owner.after(async () => {
    hangUp();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangUp,
    keepInSilence() {
      for (const { messages } of rooms.values()) messages.push({ seq: messages.length + 1 });
    },
    heads: () => Array.from(rooms.values(), ({ messages }) => messages.length),
  };
}

interface Input {
  name?: string;
  roomId?: string;
  rooms?: { roomId: string; seq: number }[];
  content?: string;
  clientMsgId?: string;
}
