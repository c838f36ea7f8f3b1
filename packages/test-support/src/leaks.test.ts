import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort } from './free-port.ts';
import { expectNoLeaks } from './leaks.ts';

test('a server that is left open is found', async () => {
  const closers: (() => Promise<void>)[] = [];
  expectNoLeaks({ after: (close) => void closers.push(close) }, 50);
  const [check] = closers;
  assert.ok(check !== undefined);
  await check();
  const server = createServer().listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  await assert.rejects(check(), /left open[^]*TCPServerWrap/);
  server.close();
  await check();
});
