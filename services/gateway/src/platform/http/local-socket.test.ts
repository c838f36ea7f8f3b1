import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import { clientAddressOf, trustedProxies } from './address.ts';
import { listenLocally } from './local-socket.ts';

const socketPath = (name: string): string => `\0${name}`.padEnd(108, '\0');

async function serve(t: TestContext) {
  const name = `parley-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const addressOf = clientAddressOf(trustedProxies(['loopback']));
  const http = createServer((incoming, response) => response.end(addressOf(incoming)));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const local = await listenLocally(http, name);
  t.after(() => http.close());
  t.after(() => local.close());
  return { http, local, name, port: (http.address() as AddressInfo).port };
}

async function get(options: object): Promise<string> {
  const sent = request({ path: '/', agent: false, ...options }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return text(response);
}

describe('the local socket', { skip: process.platform !== 'linux' && 'abstract sockets are of Linux' }, () => {
  test('brings requests to the server that listens to TCP, too', async (t) => {
    const { name, port } = await serve(t);
    assert.equal(await get({ socketPath: socketPath(name) }), '127.0.0.1');
    assert.equal(await get({ host: '127.0.0.1', port }), '127.0.0.1');
  });

  test('who comes by it is a proxy where loopback is one', async (t) => {
    const { name } = await serve(t);
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    assert.equal(await get({ socketPath: socketPath(name), headers }), '203.0.113.7');
  });

  test('brings upgrades, which live on when it closes', async (t) => {
    const { http, local, name } = await serve(t);
    http.on('upgrade', (_request, socket: Duplex) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const headers = { connection: 'Upgrade', upgrade: 'echo' };
    const asked = request({ socketPath: socketPath(name), path: '/', headers }).end();
    const [, client] = (await once(asked, 'upgrade')) as [IncomingMessage, Duplex];
    t.after(() => client.destroy());
    const closed = local.close();
    client.write('still here');
    assert.equal(String((await once(client, 'data'))[0]), 'still here');
    client.end();
    await closed;
  });

  test('a name that is taken is refused', async (t) => {
    const { http, name } = await serve(t);
    await assert.rejects(listenLocally(http, name), { code: 'EADDRINUSE' });
  });

  test('the server that ends its connections ends these', async (t) => {
    const { http, name } = await serve(t);
    const sent = request({ socketPath: socketPath(name), path: '/', headers: { connection: 'keep-alive' } }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const closed = once(response.socket, 'close');
    await text(response);
    http.closeIdleConnections();
    await closed;
  });
});
