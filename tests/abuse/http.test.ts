import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, afterEach, describe, test } from 'node:test';
import { eventually, within } from '@parley/test-support';
import { http } from '../support/http.ts';
import { SOCKETS } from '../support/packets.ts';
import { openWebSocket, UPGRADE } from '../support/raw-websocket.ts';
import { token } from '../support/tokens.ts';
import { startVictim } from './victim.ts';

// Bytes at the HTTP port: garbage, requests in two minds about their length, and requests that never end.

const victim = await startVictim({ after }, { MAX_FRAME_BYTES: '50000' });
const { gateway } = victim;
afterEach(() => victim.unharmed());

const host = `Host: ${gateway.host}:${gateway.port}\r\n`;
const authorization = `Bearer ${await token('mallory')}`;

function dial(owner: { after(close: () => void): void }): Socket {
  const socket = connectTcp(gateway.port, gateway.host);
  socket.on('error', () => {}); // a reset is one way of being refused
  socket.resume();
  owner.after(() => socket.destroy());
  return socket;
}

/** All that comes back until the server closes the connection. Throws when it does not. */
async function exchange(owner: { after(close: () => void): void }, bytes: string | Buffer): Promise<string> {
  const socket = dial(owner);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(bytes);
  await within(closed, 'the end of the connection');
  return answer;
}

const statusesIn = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

/** Connections that say too little: opened at the beginning, and looked at in the end. */
const loris = ['half a head', 'half an upgrade', 'a header line now and then', 'nothing'].flatMap((name) =>
  Array.from({ length: name === 'a header line now and then' ? 3 : 200 }, () => {
    const socket = dial({ after });
    if (name !== 'nothing') socket.write(`GET ${SOCKETS}&transport=websocket HTTP/1.1\r\n${host}`);
    if (name === 'half an upgrade') socket.write('Upgrade: websocket\r\nConnection: Upgrade\r\n');
    if (name === 'half a head') socket.write('X-Slow: ');
    const trickle =
      name === 'a header line now and then' ? setInterval(() => socket.write('X-Slow: x\r\n'), 500) : undefined;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    void closed.then(() => clearInterval(trickle));
    return { name, closed };
  }),
);

describe('what is no HTTP is refused', () => {
  for (const [name, bytes] of [
    ['bytes without any order', Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7919) % 256))],
    ['a TLS hello', Buffer.from('160301020001000001fc0303', 'hex')],
    ['a Redis command', '*1\r\n$4\r\nPING\r\n'],
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
    ['an HTTP version of the future', `GET / HTTP/9.9\r\n${host}\r\n`],
    ['a method of its own', `HACK / HTTP/1.1\r\n${host}\r\n`],
    ['no Host', 'GET /api/rooms HTTP/1.1\r\n\r\n'],
    ['two Hosts', `GET /api/rooms HTTP/1.1\r\n${host}Host: evil.example\r\nConnection: close\r\n\r\n`],
    ['a header name with a space', `GET / HTTP/1.1\r\n${host}X Y: z\r\n\r\n`],
    ['a folded header', `GET / HTTP/1.1\r\n${host}X-A: a\r\n b\r\n\r\n`],
    ['a NUL in a header', `GET / HTTP/1.1\r\n${host}X-A: a\u0000b\r\n\r\n`],
    ['a bare CR', `GET / HTTP/1.1\r\n${host}X-A: a\rX-B: b\r\n\r\n`],
    ['a head of 200 KB', `GET / HTTP/1.1\r\n${host}X-A: ${'a'.repeat(200_000)}\r\n\r\n`],
    ['a URL of 200 KB', `GET /${'a'.repeat(200_000)} HTTP/1.1\r\n${host}\r\n`],
    ['10,000 headers', `GET / HTTP/1.1\r\n${host}${'X-A: a\r\n'.repeat(10_000)}\r\n`],
  ] as const) {
    test(name, async (t) => {
      const statuses = statusesIn(await exchange(t, bytes));
      assert.ok(statuses.length <= 1 && statuses.every((status) => status >= 400 && status < 500), String(statuses));
    });
  }
});

describe('a request that is in two minds about its length is one request, or none', () => {
  // Whatever a proxy takes for a body must not become a second request here.
  const second = `GET /health/live HTTP/1.1\r\n${host}\r\n`;
  const post = `POST /api/auth/login HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
  for (const [name, bytes] of [
    ['length and chunks', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`],
    ['chunks and length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${second}`],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: ${second.length}\r\n\r\n${second}`],
    ['a list of lengths', `${post}Content-Length: 0, ${second.length}\r\n\r\n${second}`],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n${second}`],
    ['a signed length', `${post}Content-Length: +0\r\n\r\n${second}`],
    ['a length in hex', `${post}Content-Length: 0x10\r\n\r\n${second}`],
    ['a length beyond all', `${post}Content-Length: 99999999999999999999\r\n\r\n${second}`],
    ['an encoding that nobody knows', `${post}Transfer-Encoding: xchunked\r\n\r\n${second}`],
    ['chunked, and then not', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${second}`],
    ['a space before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${second}`],
    ['chunked behind a tab', `${post}Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n${second}`],
    ['a chunk size that is none', `${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n${second}`],
    ['a chunk size beyond all', `${post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n${second}`],
    ['line feeds alone', `${post}Transfer-Encoding: chunked\r\n\r\n0\n\n${second}`],
  ] as const) {
    test(name, async (t) => {
      const answer = await exchange(t, bytes);
      assert.ok(!answer.includes('"status":"ok"'), 'the second request was served');
      assert.ok(
        statusesIn(answer).every((status) => status >= 400 && status < 500),
        answer.slice(0, 500),
      );
    });
  }

  test('two good requests one behind the other are two', async (t) => {
    const last = second.replace(host, `${host}Connection: close\r\n`);
    assert.deepEqual(statusesIn(await exchange(t, second + last)), [200, 200]);
  });
});

describe('upgrades that are none', () => {
  const path = `${SOCKETS}&transport=websocket`;
  for (const [name, target, headers] of [
    ['for a route', '/api/rooms', {}],
    ['for nothing', '/', {}],
    ['to HTTP/2', path, { upgrade: 'h2c' }],
    ['without a key', path, { 'sec-websocket-key': '' }],
    ['with a key that is none', path, { 'sec-websocket-key': 'x'.repeat(1_000) }],
    ['of version 7', path, { 'sec-websocket-version': '7' }],
    ['with POST', path, { method: 'POST' }],
    ['with bad protocols', path, { 'sec-websocket-protocol': ',,;' }],
  ] as const) {
    test(name, async () => {
      const { method = 'GET', ...more } = headers as Record<string, string>;
      const { status } = await http(gateway, target, { method, headers: { ...UPGRADE, authorization, ...more } });
      assert.ok(status !== 101 && status < 500, `it was answered with ${status}`);
    });
  }
});

test('an upgrade for polling is closed at once', async (t) => {
  const socket = await openWebSocket(gateway, { path: `${SOCKETS}&transport=polling` }).catch(() => undefined);
  t.after(() => socket?.close());
  if (socket) await within(socket.closed, 'the end of it');
  assert.deepEqual(socket?.packets ?? [], []);
});

describe('credentials of any size', () => {
  const sizes = [8_000, 12_000, 100_000];
  for (const size of sizes) {
    test(`a Bearer and a cookie of ${size}`, async () => {
      for (const headers of [
        { authorization: `Bearer ${'x'.repeat(size)}` },
        { cookie: `parley_access=${'x'.repeat(size)}` },
        { authorization: `Bearer ${'a.'.repeat(size / 2)}` },
      ]) {
        for (const target of ['/api/me', `${SOCKETS}&transport=polling`]) {
          const { status } = await http(gateway, target, { headers });
          assert.ok(status === 401 || status === 431, `it was answered with ${status}`);
        }
      }
    });
  }

  test('credentials of any shape', async () => {
    for (const headers of [
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
      { authorization: 'bearer x y z' },
      { authorization: 'Basic Og==' },
      { authorization: '\u00ff\u00fe' },
      { cookie: 'parley_access' },
      { cookie: 'parley_access=' },
      { cookie: 'parley_access=%' },
      { cookie: 'parley_access=%zz; parley_access=x' },
      { cookie: `${'a=b; '.repeat(2_000)}parley_access=x` },
      { cookie: '__proto__=x; constructor=y; parley_access=z' },
    ]) {
      assert.equal((await http(gateway, '/api/me', { headers })).status, 401, JSON.stringify(headers).slice(0, 100));
    }
  });

  test('500 bad tokens at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        http(gateway, '/api/me', { headers: { authorization: `${authorization}${index}` } }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401]));
  });
});

test('clients that hang up in the middle of a body or an answer', async (t) => {
  const head = `POST /api/rooms HTTP/1.1\r\n${host}Authorization: ${authorization}\r\nContent-Type: application/json\r\n`;
  for (let index = 0; index < 100; index += 1) {
    const socket = dial(t);
    socket.write(`${head}Content-Length: 1000\r\n\r\n{"name":`);
    socket.write('"x', () => socket.destroy());
    const reader = dial(t);
    reader.write(`GET /docs/openapi.json HTTP/1.1\r\n${host}\r\n`);
    reader.once('data', () => reader.resetAndDestroy());
  }
  await eventually(() => victim.unharmed());
});

test('heads that do not end are cut off', { timeout: 90_000 }, async () => {
  await victim.unharmed();
  for (const { name, closed } of loris) await within(closed, `the end of ${name}`, 60_000);
});
