import type { Owner } from '@parley/test-support';
import type { Server as Engine } from 'engine.io';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createSocketServer, upgradeTransport, type SocketServer } from '../server.ts';
import type { ChatSocket } from '../types.ts';

export interface Served {
  server: Server;
  port: number;
}

/** Serves an engine on a port of 127.0.0.1, without anything before it. All of it is gone after the owner's end. */
export async function serveEngine(owner: Owner, engine: Engine): Promise<Served> {
  const server = createServer((request, response) => engine.handleRequest(request as never, response));
  const connections = new Set<Socket>();
  server.on('connection', (connection: Socket) => connections.add(connection));
  server.on('upgrade', (request, socket, head) => upgradeTransport(engine, request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.after(async () => {
    engine.close();
    for (const connection of connections) connection.destroy();
    server.close();
    await once(server, 'close');
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** The same for Socket.IO, with whoever joins first. */
export async function serveSockets(
  owner: Owner,
  heartbeat = { pingIntervalMs: 60_000, pingTimeoutMs: 60_000 },
): Promise<SocketServer & Served & { joined: Promise<ChatSocket> }> {
  const sockets = createSocketServer({ ...heartbeat, name: 'test', maxFrameBytes: 1e6, connectTimeoutMs: 5_000 });
  const joined = new Promise<ChatSocket>((resolve) => sockets.io.on('connection', resolve));
  return { ...sockets, ...(await serveEngine(owner, sockets.engine)), joined };
}

/** A TCP connection that speaks WebSocket from here on, and what came with the answer to its upgrade. */
export async function upgradeTcp(port: number): Promise<{ client: Socket; head: Buffer }> {
  const upgrade = httpRequest({
    port,
    path: '/socket.io/?EIO=4&transport=websocket',
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  upgrade.end();
  const [, client, head] = (await once(upgrade, 'upgrade')) as [unknown, Socket, Buffer];
  client.on('error', () => {}); // the server may be gone first
  return { client, head };
}
