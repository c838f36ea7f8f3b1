import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Passes on what comes from the target, whole or in part. One for each connection. */
export type Filter = (chunk: Buffer) => Buffer;

/** One connection through the proxy. */
export interface Link {
  /** Nothing is read any more, in neither direction: both sides see a peer that has stopped. */
  hold(): void;
  /** What the target sends is not read any more: the target sees a peer that does not read. */
  stopReading(): void;
  resume(): void;
  /** Everything is read and thrown away from now on, and nobody is told: the wire is cut. */
  swallow(): void;
  /** RST on both sides. */
  reset(): void;
}

export interface TcpProxy {
  readonly port: number;
  /** The open ones, oldest first. */
  readonly links: ReadonlySet<Link>;
  /** Whether new connections are taken. Otherwise they are reset at once. */
  isOpen: boolean;
  close(): Promise<void>;
}

/** A proxy on 127.0.0.1 that can be told to misbehave. */
export async function startTcpProxy(targetPort: () => number, filterOf?: () => Filter): Promise<TcpProxy> {
  const links = new Set<Link>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    if (!proxy.isOpen) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: targetPort(), host: '127.0.0.1', noDelay: true });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    const link = join(client, target, filterOf?.());
    links.add(link);
    target.on('close', () => links.delete(link));
    client.on('close', () => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    links,
    isOpen: true,
    async close() {
      proxy.isOpen = false;
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

function join(client: Socket, target: Socket, filter: Filter = (chunk) => chunk): Link {
  let isSwallowing = false;
  const held = new Set<Socket>();
  const pass = (from: Socket, to: Socket, through: Filter): void => {
    from.on('data', (chunk) => {
      if (isSwallowing) return;
      const passed = through(chunk);
      if (passed.length > 0 && !to.write(passed)) from.pause();
    });
    to.on('drain', () => {
      if (!held.has(from)) from.resume();
    });
    from.on('error', () => {});
    from.on('end', () => {
      if (!isSwallowing) to.end();
    });
    from.on('close', () => {
      if (!isSwallowing) to.destroy();
    });
  };
  pass(client, target, (chunk) => chunk);
  pass(target, client, filter);
  const stop = (...sockets: Socket[]): void => {
    for (const socket of sockets) {
      held.add(socket);
      socket.pause();
    }
  };
  return {
    hold: () => stop(client, target),
    stopReading: () => stop(target),
    resume() {
      held.clear();
      client.resume();
      target.resume();
    },
    swallow() {
      isSwallowing = true;
    },
    reset() {
      isSwallowing = false;
      client.resetAndDestroy();
      target.resetAndDestroy();
    },
  };
}
