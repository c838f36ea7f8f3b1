import { createServer } from 'node:net';

// Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing connections: one of those
// could hold the port of a server that is just being started again.
const FIRST = 20_000;
const LAST = 31_999;

/** Whether a server can listen on `port` of the address; the address is one of this machine's, or `::` or `0.0.0.0`. */
export function isPortFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true, ipv6Only: host.includes(':') }, () => {
      server.close(() => resolve(true));
    });
  });
}

/** Chooses free ports of 127.0.0.1, in random places, so that clusters that start at the same time rarely meet. */
export async function chooseFreePorts(count: number): Promise<number[]> {
  const chosen = new Set<number>();
  for (let tries = 0; chosen.size < count; tries++) {
    if (tries > 1000) throw new Error(`Found no ${count} free ports between ${FIRST} and ${LAST}`);
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (!chosen.has(port) && (await isPortFree(port, '127.0.0.1'))) chosen.add(port);
  }
  return [...chosen];
}
