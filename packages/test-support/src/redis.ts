import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { serve, type Server } from './server.ts';

/** A private Redis that keeps nothing on disk. */
export async function startRedis(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-redis-'));
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'no'];
  return serve({
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    stopSignal: 'SIGTERM',
    launch: () => spawn('redis-server', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }),
    answers: async () => {
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        socket.write('PING\r\n');
        const [reply] = (await once(socket, 'data')) as [Buffer];
        if (!reply.toString().startsWith('+PONG')) throw new Error(`Redis answers ${reply.toString()}`);
      } finally {
        socket.destroy();
      }
    },
  });
}
