import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ConnectError } from '@parley/protocol';
import { eventually, freePort } from '@parley/test-support';
import { connect, connectRefused } from '../support/client.ts';
import { openDoor } from '../support/door.ts';
import { startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';
import { handshake, kinds } from '../support/transport.ts';

// Contract, section 2: UNAVAILABLE; section 7, guarantee 9: degraded, not dead. The stores are cut off, not stopped.

const gateways = await startGateways({ after }, 0);
const anas = await token('ana');

function behind(url: string, door: { port: number }): string {
  const moved = new URL(url);
  moved.port = String(door.port);
  return moved.href;
}

describe('PostgreSQL away', async () => {
  const databaseUrl = gateways.databaseUrl;
  const port = Number(new URL(databaseUrl).port);
  const door = await openDoor({ after }, port);
  const gateway = await gateways.start({
    DATABASE_URL: behind(databaseUrl, door),
    DATABASE_CONNECT_TIMEOUT_MS: '500',
  });

  test('sends fail with UNAVAILABLE, sockets stay, and the retry finds its place', async (t) => {
    const ana = await connect(t, gateway, 'ana');
    const ben = await connect(t, gateway, 'ben');
    const { room } = await ana.ok('room:create', { name: 'Cut off' });
    await ben.ok('room:join', { roomId: room.id });
    await ana.send(room.id, 'before');

    door.leadTo(undefined);
    door.cut();
    const payload = { roomId: room.id, content: 'between', clientMsgId: 'between' };
    const error = await ana.refused('message:send', payload, 'UNAVAILABLE');
    assert.ok((error.retryAfterMs ?? 0) > 0);
    await ana.refused('room:list', {}, 'UNAVAILABLE');
    await ana.refused('message:history', { roomId: room.id }, 'UNAVAILABLE');
    await ana.refused('message:read', { roomId: room.id, seq: 1 }, 'UNAVAILABLE');
    const { roomId: _inThePath, ...body } = payload;
    const rest = { token: anas, params: { id: room.id }, body };
    errorOf(await call(gateway, 'roomMessagesPost', rest), 'UNAVAILABLE');
    errorOf(await call(gateway, 'meGet', { token: anas }), 'UNAVAILABLE');
    const login = { body: { username: 'nobody', password: 'wrong horse' } };
    errorOf(await call(gateway, 'authLogin', login), 'UNAVAILABLE');
    await callOk(gateway, 'healthReady');
    await callOk(gateway, 'healthLive');
    const refusal = await connectRefused(t, gateway, 'cid');
    assert.equal(refusal.message, 'UNAVAILABLE');
    assert.equal(ConnectError.parse(refusal.data).code, 'UNAVAILABLE');

    door.leadTo(port);
    const { message } = await eventually(() => ana.ok('message:send', payload));
    assert.equal(message.seq, 2);
    await ben.waitFor('message:new', ({ content }) => content === 'between');
    assert.deepEqual([ana.disconnects, ben.disconnects], [[], []]);
    const { messages } = await ben.ok('message:history', { roomId: room.id });
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['before', 'between'],
    );
  });
});

describe('Redis away', async () => {
  const redisUrl = gateways.environment['REDIS_URL'] as string;
  const port = Number(new URL(redisUrl).port);
  const door = await openDoor({ after }, port);
  const gateway = await gateways.start({ REDIS_URL: behind(redisUrl, door) });

  test('sends still commit and are acknowledged; joins, reads and new sockets work', async (t) => {
    const ana = await connect(t, gateway, 'ana');
    const { room } = await ana.ok('room:create', { name: 'No nerves' });
    door.leadTo(undefined);
    door.cut();
    assert.equal((await ana.send(room.id, 'one')).seq, 1);
    const ben = await connect(t, gateway, 'ben');
    await ben.ok('room:join', { roomId: room.id });
    assert.equal((await ben.send(room.id, 'two')).seq, 2);
    await callOk(gateway, 'roomGet', { token: anas, params: { id: room.id } });
    await ana.ok('room:list', {});
    await callOk(gateway, 'healthReady');
    door.leadTo(port);
    assert.equal((await ana.send(room.id, 'three')).seq, 3);
    const { messages } = await ben.ok('message:history', { roomId: room.id });
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['one', 'two', 'three'],
    );
    assert.deepEqual([ana.disconnects, ben.disconnects], [[], []]);
  });
});

describe('a store that is away at the start', () => {
  for (const name of ['DATABASE_URL', 'REDIS_URL'] as const) {
    test(`${name}: alive, not ready, and takes nobody in until it is there`, async (t) => {
      const storeUrl = gateways.environment[name] as string;
      const door = await openDoor(t, Number(new URL(storeUrl).port));
      door.leadTo(undefined);
      const port = String(await freePort());
      const starting = gateways.start({
        [name]: behind(storeUrl, door),
        PORT: port,
        DATABASE_CONNECT_TIMEOUT_MS: '500',
      });
      const gateway = { url: `http://127.0.0.1:${port}` };
      await eventually(() => callOk(gateway, 'healthLive'));
      await callRefused(gateway, 'healthReady', 'UNAVAILABLE');
      for (const kind of kinds) errorOf(await handshake(kind, gateway), 'UNAVAILABLE');
      door.leadTo(Number(new URL(storeUrl).port));
      await starting;
      await callOk(gateway, 'healthReady');
      await (await connect(t, gateway, 'ana')).ok('room:list', {});
    });
  }
});
