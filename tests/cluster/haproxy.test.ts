import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import type { Owner, RunningProcess } from '@parley/test-support';
import { ask, connectionsOf, deathsOf, START, startEdge, stateOf } from './edge.ts';
import type { Edge } from './edge.ts';

const HANDSHAKE = '/socket.io/?EIO=4&transport=polling';

async function openSession(edge: Edge, wanted: string): Promise<string> {
  return eventually(async () => {
    const { sid } = (await ask(edge, HANDSHAKE)).body;
    assert.ok(sid.startsWith(`${wanted}.`));
    return sid;
  });
}

describe('a session without cookies', () => {
  test('stays with the gateway that gave out its id', async (t) => {
    const edge = await startEdge(t);
    const seen = new Set<string>();
    for (let session = 0; session < 10; session++) {
      const { sid } = (await ask(edge, HANDSHAKE)).body;
      seen.add(sid.split('.')[0] ?? '');
      for (const method of ['GET', 'POST', 'GET']) {
        const { status, body } = await ask(edge, `${HANDSHAKE}&sid=${sid}`, { method });
        assert.equal(status, 200);
        assert.equal(body.name, sid.split('.')[0]);
      }
    }
    assert.deepEqual([...seen].sort(), ['gateway1', 'gateway2'], 'both got sessions');
  });

  test('still reaches a gateway that drains, which gets no new ones', async (t) => {
    const edge = await startEdge(t);
    const sid = await openSession(edge, 'gateway1');
    edge.gateways[0]?.process.kill('SIGTERM');
    await eventually(async () => assert.equal(await stateOf(edge, 'gateway1'), 'NOLB'));
    assert.equal((await ask(edge, `${HANDSHAKE}&sid=${sid}`, { method: 'POST' })).body.name, 'gateway1');
    for (let session = 0; session < 6; session++) {
      assert.match((await ask(edge, HANDSHAKE)).body.sid, /^gateway2\./);
    }
  });

  test('of a dead gateway is answered 400 by another one, before and after its death is noticed', async (t) => {
    const edge = await startEdge(t);
    const sid = await openSession(edge, 'gateway1');
    await edge.gateways[0]?.process.stop('SIGKILL');
    assert.equal((await ask(edge, `${HANDSHAKE}&sid=${sid}`, { method: 'POST' })).status, 400);
    await eventually(async () => assert.equal(await stateOf(edge, 'gateway1'), 'DOWN'));
    assert.equal((await ask(edge, `${HANDSHAKE}&sid=${sid}`)).status, 400);
    assert.equal((await ask(edge, `${HANDSHAKE}&sid=nobody.knows`)).status, 400);

    await edge.gateways[0]?.restart();
    await openSession(edge, 'gateway1');
  });
});

test('a gateway that hangs is taken out, and back in when it goes on', async (t) => {
  const edge = await startEdge(t);
  const gateway = edge.gateways[0]?.process as RunningProcess;
  const stoppedAt = performance.now();
  gateway.kill('SIGSTOP');
  await eventually(async () => assert.equal(await stateOf(edge, 'gateway1'), 'DOWN'));
  t.diagnostic(`out after ${Math.round(performance.now() - stoppedAt)} ms`);
  for (let tries = 0; tries < 4; tries++) assert.equal((await ask(edge, '/')).body.name, 'gateway2');
  gateway.kill('SIGCONT');
  await openSession(edge, 'gateway1');
});

test('a gateway that a crowd waits for is not taken for dead', async (t) => {
  const edge = await startEdge(t, {}, 1);
  const [{ port } = { port: 0 }] = edge.gateways;
  // A turn of the event loop takes one connection in. With these, whoever comes last waits for 4 s.
  await ask({ port }, '/slow?ms=25');
  await Promise.all(Array.from({ length: 160 }, () => ask({ port }, '/')));
  assert.equal(await deathsOf(edge, 'gateway1'), 0);
});

test('a request that may have arrived is not sent to a second gateway', async (t) => {
  const edge = await startEdge(t);
  const { status, body } = await ask(edge, '/cut', { method: 'POST' });
  assert.equal(status, 502);
  assert.equal(body.error.code, 'UNAVAILABLE');
  const counts: number[] = [];
  for (const { name } of edge.gateways) counts.push((await ask(edge, `/?sid=${name}.x`)).body.posts);
  assert.deepEqual(counts.sort(), [0, 1]);
});

test('a gateway that comes back does not get all new clients at once', async (t) => {
  const edge = await startEdge(t);
  for (let count = 0; count < 30; count++) await openWebSocket(t, edge);
  assert.deepEqual([await connectionsOf(edge, 'gateway1'), await connectionsOf(edge, 'gateway2')], [15, 15]);
  await edge.gateways[0]?.process.stop('SIGKILL');
  await eventually(async () => assert.equal(await stateOf(edge, 'gateway1'), 'DOWN'));
  await edge.gateways[0]?.restart();
  await eventually(async () => assert.match(await stateOf(edge, 'gateway1'), /^UP/));
  for (let count = 0; count < 12; count++) await openWebSocket(t, edge);
  const cold = await connectionsOf(edge, 'gateway1');
  t.diagnostic(`${cold} of 12`);
  assert.ok(cold < 12);
});

test('WebSockets pass through', async (t) => {
  const edge = await startEdge(t, {}, 1);
  const socket = await openWebSocket(t, edge);
  socket.write('ping?');
  assert.equal(String((await once(socket, 'data'))[0]), 'ping?');
});

async function openWebSocket(owner: Owner, edge: Edge): Promise<Socket> {
  const socket = connect(edge.port, '127.0.0.1');
  owner.after(async () => void socket.destroy());
  socket.on('error', () => {});
  socket.setEncoding('utf8');
  const head = [
    'Host: a',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '',
    '',
  ].join('\r\n');
  socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${head}`);
  assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101/);
  return socket;
}

describe('what a client says of itself is not believed:', () => {
  const forged = {
    'X-Forwarded-For': '6.6.6.6, 7.7.7.7',
    'X-Forwarded-Proto': 'https',
    'X-Real-IP': '6.6.6.6',
    Forwarded: 'for=6.6.6.6',
    'X-Gateway': 'evil',
  };

  test('its address, its scheme, and the name of a gateway', async (t) => {
    const edge = await startEdge(t, {}, 1);
    const { headers } = (await ask(edge, '/', { headers: forged })).body;
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(headers['x-gateway'], 'gateway1');
    assert.equal(headers['x-real-ip'], undefined);
    assert.equal(headers['forwarded'], undefined);
  });

  test('unless it is one of EDGE_PROXIES', async (t) => {
    const edge = await startEdge(t, { EDGE_PROXIES: '10.0.0.0/8 127.0.0.2' }, 1);
    const { headers } = (await ask(edge, '/', { headers: forged, from: '127.0.0.2' })).body;
    assert.equal(headers['x-forwarded-for'], '7.7.7.7', 'the last one, which that proxy itself has seen');
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-gateway'], 'gateway1');
    const direct = (await ask(edge, '/', { headers: forged })).body;
    assert.equal(direct.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(direct.headers['x-forwarded-proto'], 'http');
  });
});

describe('RATE_CONNECT', () => {
  test('refuses new transports of one address over the rate, and nothing else', async (t) => {
    const edge = await startEdge(t, { RATE_CONNECT: '3/1h' }, 1);
    const { sid } = (await ask(edge, HANDSHAKE)).body;
    const hidden = [`${HANDSHAKE}&sid=`, `${HANDSHAKE}&x=;sid=gateway1.x`];
    for (const path of hidden) assert.equal((await ask(edge, path)).status, 200, 'a new one each, and they count');

    const { status, headers, body } = await ask(edge, HANDSHAKE);
    assert.equal(status, 429);
    assert.equal(body.error.code, 'RATE_LIMITED');
    assert.equal(typeof body.error.message, 'string');
    assert.ok(Number.isInteger(body.error.retryAfterMs) && body.error.retryAfterMs >= 1_000);
    assert.equal(Number(headers['retry-after']), Math.ceil(body.error.retryAfterMs / 1_000));
    for (const path of hidden) assert.equal((await ask(edge, path)).status, 429);

    assert.equal((await ask(edge, `${HANDSHAKE}&sid=${sid}`)).status, 200, 'an open session goes on');
    assert.equal((await ask(edge, '/api/rooms')).status, 200);
    assert.equal((await ask(edge, HANDSHAKE, { from: '127.0.0.2' })).status, 200, 'another address');
  });

  test('counts for the client behind one of EDGE_PROXIES', async (t) => {
    const edge = await startEdge(t, { RATE_CONNECT: '1/1h', EDGE_PROXIES: '127.0.0.1' }, 1);
    const from = (address: string) => ask(edge, HANDSHAKE, { headers: { 'X-Forwarded-For': address } });
    assert.equal((await from('9.9.9.9')).status, 200);
    assert.equal((await from('9.9.9.9')).status, 429);
    assert.equal((await from('2001:db8:1:2::1')).status, 200);
    assert.equal((await from('2001:db8:1:2::ffff')).status, 429, 'the same /64');
    assert.equal((await from('2001:db8:1:3::1')).status, 200);
  });

  test('off: no limit', async (t) => {
    const edge = await startEdge(t, { RATE_CONNECT: 'off' }, 1);
    for (let session = 0; session < 20; session++) assert.equal((await ask(edge, HANDSHAKE)).status, 200);
  });

  test('is refused at the start when it makes no sense', () => {
    for (const rate of ['5', '5/', '/5s', '0/5s', '5/0s', '5/5d', '-5/5s', '5/5s/5s', '1/999999h']) {
      const env = { ...process.env, RATE_CONNECT: rate, GATEWAYS: 'g=127.0.0.1:1', CONFIG_FILE: '/dev/null' };
      const { status, stderr } = spawnSync('sh', [START, '-c'], { env, encoding: 'utf8' });
      assert.equal(status, 1, rate);
      assert.match(stderr, /RATE_CONNECT is .* should be like 2000\/10s/);
    }
  });
});

test('the stats are on a port of their own', async (t) => {
  const edge = await startEdge(t, {}, 1);
  const stats = await ask({ port: edge.statsPort }, '/');
  assert.equal(stats.status, 200);
  assert.match(stats.body.text, /Statistics Report/);
  assert.match((await ask({ port: edge.statsPort }, '/metrics')).body.text, /haproxy_backend_/);
  for (const path of ['/', '/;csv', '/metrics', '/haproxy?stats']) {
    assert.equal((await ask(edge, path)).body.name, 'gateway1', `${path} of the public port is a gateway's`);
  }
});

test('without any gateway the answer is 503 in the shape of all errors', async (t) => {
  const edge = await startEdge(t, {}, 1);
  await edge.gateways[0]?.process.stop('SIGKILL');
  const { status, headers, body } = await ask(edge, HANDSHAKE);
  assert.equal(status, 503);
  assert.equal(body.error.code, 'UNAVAILABLE');
  assert.equal(body.error.retryAfterMs, 2_000);
  assert.equal(headers['retry-after'], '2');
});
