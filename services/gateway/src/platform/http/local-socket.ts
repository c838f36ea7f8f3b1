import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer } from 'node:net';

/** Bytes of a name, as in Linux's `sockaddr_un`: the first of them is 0, and says that the name is no file's. */
const NAME_BYTES = 108;
/** A crowd that comes back at once should find a place; the kernel's own bound (`somaxconn`) is 4,096 as well. */
export const BACKLOG = 4_096;
/** Who is at the other end is on this machine. */
const LOOPBACK = { remoteAddress: { value: '127.0.0.1' }, remoteFamily: { value: 'IPv4' } };

export interface LocalSocket {
  /** Resolves when the connections have ended, which the HTTP server sees to. */
  close(): Promise<void>;
}

/**
 * Lets an HTTP server have the connections of an abstract Unix socket as well: for a proxy on the same machine, which
 * gets through it without TCP what costs a third more with it (docs/performance.md). The name belongs to the network
 * namespace, and is free again when the process ends. Whoever comes by it counts as 127.0.0.1.
 *
 * The name is padded with zeros to its full length, as HAProxy does with `abns@name`.
 *
 * @throws what `listen` does, such as EADDRINUSE
 * @see https://man7.org/linux/man-pages/man7/unix.7.html, "Abstract socket address"
 */
export async function listenLocally(http: HttpServer, name: string): Promise<LocalSocket> {
  // A server of its own, since one server listens to one address. `connection` is Node's documented way into the other.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    Object.defineProperties(socket, LOOPBACK);
    http.emit('connection', socket);
  });
  server.listen({ path: `\0${name}`.padEnd(NAME_BYTES, '\0'), backlog: BACKLOG });
  await once(server, 'listening');
  return {
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
