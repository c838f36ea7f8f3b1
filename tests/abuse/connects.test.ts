import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { eventually, within } from '@parley/test-support';
import { connect } from '../support/client.ts';
import { handshake } from '../support/transport.ts';
import { encodeFrame, openWebSocket, TEXT, type RawWebSocket } from '../support/raw-websocket.ts';
import { forgedToken, inSeconds, token } from '../support/tokens.ts';
import { attacker, startVictim } from './victim.ts';

// CONNECT, again and again.

const victim = await startVictim({ after }, { MAX_CONNECTIONS_PER_USER: '3', CONNECT_TIMEOUT_MS: '1000' });
afterEach(() => victim.unharmed());

const jwt = await token('mallory');
const good = `40${JSON.stringify({ token: jwt })}`;
const times = (count: number, packetOf: (index: number) => string) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => encodeFrame({ opcode: TEXT, payload: packetOf(index) })));

describe('thousands of CONNECTs on one transport', () => {
  const forged = forgedToken({ alg: 'HS256' }, { sub: 'mallory', exp: inSeconds(60) }, 'x'.repeat(43));
  for (const [name, packetOf] of [
    ['good ones', () => good],
    ['without a token', () => '40{}'],
    ['with a forged token', () => `40${JSON.stringify({ token: forged })}`],
    ['good and bad ones in turn', (index: number) => (index % 2 === 0 ? '40{}' : good)],
    ['to namespaces that are not there', (index: number) => `40/ns${index},${JSON.stringify({ token: 'x' })}`],
    ['to one namespace that is not there', () => '40/elsewhere,'],
    ['to a namespace with a name of 10,000', () => `40/${'x'.repeat(10_000)},`],
    [
      'to namespaces that objects have by birth',
      (index: number) => (index % 2 === 0 ? '40/__proto__,' : '40/toString,'),
    ],
    ['and DISCONNECTs in turn', (index: number) => (index % 2 === 0 ? good : '41')],
  ] as const) {
    test(name, async (t) => {
      const socket = await openWebSocket(victim.gateway);
      t.after(() => socket.close());
      socket.write(times(3_000, packetOf));
      await victim.unharmed();
      socket.close();
      // Nothing of it counts against the user any more.
      const client = await eventually(() => connect(t, victim.gateway, 'mallory'));
      await client.ok('room:list', {});
    });
  }
});

describe('auth of any kind', () => {
  for (const [name, auth] of [
    ['an array', '[]'],
    ['a string', '"token"'],
    ['a number', '7'],
    ['null', 'null'],
    ['deeply nested', `{"token":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['__proto__', `{"__proto__":{"token":${JSON.stringify(jwt)}}}`],
    ['a token of 900,000', JSON.stringify({ token: 'x'.repeat(900_000) })],
    ['a token of dots', JSON.stringify({ token: '.'.repeat(16_000) })],
    ['a token with NUL', JSON.stringify({ token: `${jwt}\u0000` })],
    ['100,000 fields', JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`f${at}`, at])))],
  ] as const) {
    test(`${name} is CONNECT_ERROR`, async (t) => {
      const socket = await openWebSocket(victim.gateway);
      t.after(() => socket.close());
      socket.send(`40${auth}`);
      const answer = await Promise.race([socket.packet('44'), socket.closed]);
      if (typeof answer === 'string') assert.match(answer, /"UNAUTHORIZED"/);
    });
  }

  test('echo and deviceId of any kind do not keep a good token out', async (t) => {
    for (const more of [
      { echo: {}, deviceId: 7 },
      { echo: 'x'.repeat(100_000), deviceId: ['a'] },
      { deviceId: '\ud800' },
    ]) {
      const client = await connect(t, victim.gateway, 'mallory', { token: jwt, auth: more });
      client.close();
      await eventually(() => assert.ok(!client.socket.connected));
    }
  });
});

test('clients that leave in the middle of their CONNECT do not use up the user’s connections', async (t) => {
  for (let round = 0; round < 20; round += 1) {
    const sockets = await Promise.all(Array.from({ length: 3 }, () => openWebSocket(victim.gateway)));
    for (const socket of sockets) socket.send(good);
    // The last one waits for its answer, so that the rounds meet CONNECT at different moments.
    if (round % 2 === 0) await Promise.race(sockets.map((socket) => socket.packet('4')));
    for (const socket of sockets) socket.close();
  }
  const [one, two, three] = [
    await eventually(() => connect(t, victim.gateway, 'mallory')),
    await eventually(() => connect(t, victim.gateway, 'mallory')),
    await eventually(() => connect(t, victim.gateway, 'mallory')),
  ];
  for (const client of [one, two, three]) await client.ok('room:list', {});
});

test('1,000 transports that open and say nothing are gone after CONNECT_TIMEOUT_MS', async (t) => {
  const sockets: RawWebSocket[] = [];
  for (let batch = 0; batch < 10; batch += 1) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => openWebSocket(victim.gateway)))));
  }
  t.after(() => {
    for (const socket of sockets) socket.close();
  });
  await victim.unharmed();
  await within(Promise.all(sockets.map((socket) => socket.closed)), 'the end of all');
  assert.equal((await handshake('websocket', victim.gateway)).status, 101);
});

test('a transport that left its session does not stay open for nothing', async (t) => {
  const socket = await attacker(t, victim);
  socket.send('41');
  await within(socket.closed, 'the end of the transport', 5_000);
});
