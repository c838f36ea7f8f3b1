import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from './eventually.ts';

/** Starts a server, tells of it, and lives on. */
const OWNER = `
  import { startRedis } from '${join(import.meta.dirname, 'redis.ts')}';
  const server = await startRedis();
  console.log(server.port);
  setInterval(() => {}, 1000);
`;

test('a server goes with the process that started it, even when that is killed', async () => {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  const port = Number(line);
  await assert.doesNotReject(reach(port));
  owner.kill('SIGKILL');
  await eventually(() => assert.rejects(reach(port), /ECONNREFUSED/));
});

async function reach(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
