/** A chat of one process for the tests of the generator, which makes the mistakes that it is told to make. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Owner } from '@parley/test-support';
import { WebSocketServer, type WebSocket } from 'ws';

/** What is sent to a hearer in place of a message; it may also keep it for later. */
export type Fault = (packet: string, seq: number) => string[];

/** Takes a join: answers it, at once or later, or does something else with the client. */
export type Join = (answer: () => void, client: WebSocket) => void;

export interface ChatServer {
  url: string;
  /** Ends the connections of all clients. */
  hangUp(): void;
}

export async function startChatServer(
  owner: Owner,
  {
    fault = (packet) => [packet],
    refuses = () => undefined,
    join = (answer) => answer(),
  }: { fault?: Fault; refuses?: (send: number) => string | undefined; join?: Join } = {},
): Promise<ChatServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const rooms = new Map<string, { head: number; hearers: Set<WebSocket> }>();
  let sends = 0;
  server.on('connection', (client) => {
    client.send('0{"sid":"test"}');
    client.on('message', (data: Buffer) => {
      const packet = data.toString();
      if (packet.startsWith('40')) client.send('40{"sid":"test"}');
      const [, ack] = /^42(\d+)/.exec(packet) ?? [];
      if (ack === undefined) return;
      const [event, input] = JSON.parse(packet.slice(2 + ack.length)) as [string, Record<string, string>];
      const { name = '', roomId = name, content, clientMsgId } = input;
      const room = rooms.get(roomId) ?? { head: 0, hearers: new Set() };
      rooms.set(roomId, room);
      const answer = (body: object): void => client.send(`43${ack}${JSON.stringify([body])}`);
      if (event === 'room:join') {
        return join(() => {
          room.hearers.add(client);
          answer({ ok: true, data: { room: { id: roomId, headSeq: room.head } } });
        }, client);
      }
      const code = refuses((sends += 1));
      if (code !== undefined) return answer({ ok: false, error: { code } });
      room.head += 1;
      const message = { id: 'm', roomId, seq: room.head, sender: { id: 'u', name: 'u' }, content, clientMsgId };
      for (const hearer of room.hearers) {
        for (const line of fault(`42${JSON.stringify(['message:new', message])}`, room.head)) hearer.send(line);
      }
      answer({ ok: true, data: { message } });
    });
  });
  await once(server, 'listening');
  const hangUp = (): void => {
    for (const client of server.clients) client.terminate();
  };
  owner.after(async () => {
    hangUp();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hangUp };
}
