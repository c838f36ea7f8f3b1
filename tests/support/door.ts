import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Owner } from '@parley/test-support';

/**
 * A TCP relay in front of something, as a balancer or a network that breaks would be. Where a connection goes is decided
 * once, by the first bytes that the client sends.
 */
export interface Door {
  readonly port: number;
  readonly url: string;
  /** Where new connections go; undefined: nowhere. */
  leadTo(port: number | undefined): void;
  /** Where requests go that name this replica in their session id. */
  leadSessionsOf(name: string, port: number): void;
  /** Breaks all connections that are open. */
  cut(): void;
  /** What clients send is kept back until `release`, as by a network that hangs. */
  hold(): void;
  release(): void;
}

export async function openDoor(owner: Owner, firstPort: number): Promise<Door> {
  let target: number | undefined = firstPort;
  const sessions = new Map<string, number>();
  const open = new Set<Socket>();
  const ways = new Map<Socket, Socket>();
  const server = createServer((inside) => {
    open.add(inside);
    inside.on('error', () => {});
    inside.on('close', () => {
      open.delete(inside);
      ways.delete(inside);
    });
    inside.once('data', (first: Buffer) => {
      const [, name = ''] = /[?&]sid=([\w-]+)\./.exec(first.toString('latin1')) ?? [];
      const port = sessions.get(name) ?? target;
      if (port === undefined) {
        inside.destroy();
        return;
      }
      const outside = connect(port, '127.0.0.1');
      outside.on('error', () => inside.destroy());
      outside.on('close', () => inside.destroy());
      inside.on('close', () => outside.destroy());
      outside.write(first);
      ways.set(inside, outside);
      inside.pipe(outside).pipe(inside);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  owner.after(async () => {
    server.close();
    cut();
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    leadTo: (next) => (target = next),
    leadSessionsOf: (name, next) => void sessions.set(name, next),
    cut,
    hold: () => {
      for (const [inside, outside] of ways) inside.unpipe(outside);
    },
    release: () => {
      for (const [inside, outside] of ways) inside.pipe(outside);
    },
  };
}
