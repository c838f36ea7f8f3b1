import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

// Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing connections: one of those
// could hold the port of a server that is just being started again.
const USUAL_RANGE = { first: 15_000, last: 31_999 };

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

/**
 * Chooses free TCP ports of 127.0.0.1, in random places. Nobody else who chooses this way, in this process or in
 * another one, gets the same port before this process ends, so a server may take it late, and leave it for a while.
 */
export async function chooseFreePorts(count: number, { first, last } = USUAL_RANGE): Promise<number[]> {
  const chosen: number[] = [];
  for (let tries = 0; chosen.length < count; tries++) {
    if (tries > 1000) throw new Error(`Found no ${count} free ports between ${first} and ${last}`);
    const port = first + Math.floor(Math.random() * (last - first + 1));
    if ((await reserve(port)) && (await isPortFree(port, '127.0.0.1'))) chosen.push(port);
  }
  return chosen;
}

/**
 * Takes the sole right to choose a port: the UDP port of the same number, which no server of ours needs. Unlike a
 * file, it is there for all processes of this network namespace and gone with the one that has it.
 */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.unref();
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}
