import { deferred, eventually, within } from '@parley/test-support';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { closeHttpApp } from './closing.ts';

test('a connection that was busy does not hold up the stop when its request is answered', async (t) => {
  const arrived = deferred();
  const answer = deferred();
  const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
    arrived.resolve();
    // As the answers of engine.io: nothing says that the connection is to be closed.
    void answer.promise.then(() => response.end('done'));
  });
  const app = fastify({ forceCloseConnections: 'idle', serverFactory: () => server });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const proxy = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    proxy.destroy();
    server.closeAllConnections();
  });
  proxy.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await arrived.promise;
  let isClosed = false;
  const closed = closeHttpApp(app).then(() => (isClosed = true));
  await eventually(() => assert.equal(server.listening, false));
  assert.equal(isClosed, false, 'the request is under way');
  answer.resolve();
  assert.match(String((await once(proxy, 'data'))[0]), /done/);
  await within(closed, 'the end of the server');
});
