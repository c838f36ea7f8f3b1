import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ack, ErrorCode } from '@parley/protocol';
import { connect, type Client } from '../support/client.ts';
import type { Environment } from '../support/environment.ts';
import { startGateways, type TestGateway } from '../support/gateways.ts';
import { call, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 8: rates of users. Windows are an hour long where time must not matter.

const gateways = await startGateways({ after }, 0);
let rooms = 0;

async function newRoom(client: Client, ...others: Client[]): Promise<string> {
  rooms += 1;
  const { room } = await client.ok('room:create', { name: `Limits ${rooms}` });
  for (const other of others) await other.ok('room:join', { roomId: room.id });
  return room.id;
}

/** Gateways with these rates, and nobody's counts. */
function start(count: number, env: Environment): Promise<TestGateway[]> {
  const prefix = `limits${(rooms += 1)}`;
  return Promise.all(Array.from({ length: count }, () => gateways.start({ REDIS_PREFIX: prefix, ...env })));
}

const message = (roomId: string, content = 'hello') => ({ roomId, content, clientMsgId: randomUUID() });

function outcome(ack: Ack<unknown>): 'OK' | ErrorCode {
  return ack.ok ? 'OK' : ack.error.code;
}

function send(client: Client, roomId: string): Promise<Ack<unknown>> {
  return client.request('message:send', message(roomId));
}

/** Sends one after another. */
async function sends(client: Client, roomId: string, count: number): Promise<('OK' | ErrorCode)[]> {
  const outcomes: ('OK' | ErrorCode)[] = [];
  for (let index = 0; index < count; index += 1) outcomes.push(outcome(await send(client, roomId)));
  return outcomes;
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

async function headSeq(client: Client, roomId: string): Promise<number> {
  return (await client.ok('room:join', { roomId })).room.headSeq;
}

describe('RATE_MESSAGES_ROOM', () => {
  test('counts a user in a room over all replicas, sockets and REST; not other rooms, not other users', async (t) => {
    const [here, there] = (await start(2, { RATE_MESSAGES_ROOM: '5/1h' })) as [TestGateway, TestGateway];
    const [ana, anaToo, ben] = [
      await connect(t, here, 'ana'),
      await connect(t, there, 'ana'),
      await connect(t, there, 'ben'),
    ];
    const roomId = await newRoom(ana, ben);
    assert.deepEqual(await sends(ana, roomId, 2), times(2, 'OK'));
    assert.deepEqual(await sends(anaToo, roomId, 2), times(2, 'OK'));
    const rest = { token: await token('ana'), params: { id: roomId } };
    const post = () => call(there, 'roomMessagesPost', { ...rest, body: { content: 'x', clientMsgId: randomUUID() } });
    assert.equal((await post()).status, 201);
    for (const client of [ana, anaToo]) {
      const error = await client.refused('message:send', message(roomId), 'RATE_LIMITED');
      const wait = error.retryAfterMs ?? 0;
      assert.ok(wait > 3_500_000 && wait <= 3_600_000, `it shall wait ${wait} ms`);
    }
    const refusal = await post();
    const { retryAfterMs = 0 } = errorOf(refusal, 'RATE_LIMITED');
    assert.equal(refusal.headers['retry-after'], String(Math.ceil(retryAfterMs / 1_000)));
    assert.equal(outcome(await send(ben, roomId)), 'OK');
    assert.equal(outcome(await send(ana, await newRoom(ana))), 'OK');
    assert.equal(await headSeq(ben, roomId), 6);
  });

  test('a retry counts, one that is refused takes no place, and neither does what is malformed', async (t) => {
    const [gateway] = (await start(1, { RATE_MESSAGES_ROOM: '3/1h', MAX_MESSAGE_LENGTH: '5' })) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    await ana.refused('message:send', { roomId, content: '', clientMsgId: 'x' }, 'VALIDATION_ERROR');
    await ana.refused('message:send', message(roomId, 'too long'), 'MESSAGE_TOO_LONG');
    const once = message(roomId);
    assert.equal((await ana.ok('message:send', once)).duplicate, false);
    assert.equal((await ana.ok('message:send', once)).duplicate, true);
    assert.deepEqual(await sends(ana, roomId, 3), ['OK', 'RATE_LIMITED', 'RATE_LIMITED']);
    await ana.refused('message:send', once, 'RATE_LIMITED');
  });

  test('a place is free after exactly retryAfterMs', async (t) => {
    const [here, there] = (await start(2, { RATE_MESSAGES_ROOM: '1/2s' })) as [TestGateway, TestGateway];
    const [ana, anaToo] = [await connect(t, here, 'ana'), await connect(t, there, 'ana')];
    const roomId = await newRoom(ana, anaToo);
    assert.deepEqual(await sends(ana, roomId, 1), ['OK']);
    for (const client of [anaToo, ana]) {
      const { retryAfterMs = 0 } = await client.refused('message:send', message(roomId), 'RATE_LIMITED');
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 2_000, `it shall wait ${retryAfterMs} ms`);
      await delay(retryAfterMs);
      assert.equal(outcome(await send(client, roomId)), 'OK');
    }
  });
});

test('RATE_MESSAGES_USER counts all rooms together', async (t) => {
  const [gateway] = (await start(1, { RATE_MESSAGES_USER: '4/1h' })) as [TestGateway];
  const ana = await connect(t, gateway, 'ana');
  const [one, two] = [await newRoom(ana), await newRoom(ana)];
  assert.deepEqual([...(await sends(ana, one, 2)), ...(await sends(ana, two, 3))], [...times(4, 'OK'), 'RATE_LIMITED']);
  assert.deepEqual(await sends(ana, one, 1), ['RATE_LIMITED']);
});

describe('MUTE_AFTER, MUTE_FOR', () => {
  const env = { RATE_MESSAGES_ROOM: '2/1h', MUTE_AFTER: '3/1h', MUTE_FOR: '1h' };

  test('so many refusals in a room mute there, on all replicas, with the same end everywhere', async (t) => {
    const [here, there] = (await start(2, env)) as [TestGateway, TestGateway];
    const [ana, anaToo] = [await connect(t, here, 'ana'), await connect(t, there, 'ana')];
    const roomId = await newRoom(ana);
    assert.deepEqual(await sends(ana, roomId, 4), [...times(2, 'OK'), ...times(2, 'RATE_LIMITED')]);
    const before = Date.now();
    const last = await anaToo.refused('message:send', message(roomId), 'RATE_LIMITED');
    const mutes = [];
    for (const client of [ana, anaToo, ana, anaToo]) {
      const error = await client.refused('message:send', message(roomId), 'MUTED');
      assert.ok((error.retryAfterMs ?? 0) > 3_500_000 && (error.retryAfterMs ?? 0) <= 3_600_000);
      mutes.push((error.details as { until?: string }).until);
    }
    const [until = ''] = mutes;
    assert.deepEqual([...mutes, (last.details as { until?: string }).until], times(5, until));
    assert.match(until, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.parse(until) - before - 3_600_000) < 10_000);
    const rest = { token: await token('ana'), params: { id: roomId }, body: { content: 'x', clientMsgId: 'x' } };
    await callRefused(there, 'roomMessagesPost', 'MUTED', rest);
    assert.deepEqual(await sends(ana, await newRoom(ana), 1), ['OK'], 'muted in another room');
  });

  test('a mute ends by itself, and what led to it is forgotten', async (t) => {
    const [gateway] = (await start(1, { ...env, RATE_MESSAGES_ROOM: '2/3s', MUTE_FOR: '3500ms' })) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    const refusals = times(3, 'RATE_LIMITED');
    assert.deepEqual(await sends(ana, roomId, 6), [...times(2, 'OK'), ...refusals, 'MUTED']);
    const { retryAfterMs = 0 } = await ana.refused('message:send', message(roomId), 'MUTED');
    assert.ok(retryAfterMs <= 3_500);
    await delay(retryAfterMs);
    assert.deepEqual(await sends(ana, roomId, 6), [...times(2, 'OK'), ...refusals, 'MUTED']);
  });

  for (const name of ['MUTE_AFTER', 'MUTE_FOR']) {
    test(`${name}=off mutes nobody`, async (t) => {
      const [gateway] = (await start(1, { ...env, [name]: 'off' })) as [TestGateway];
      const ana = await connect(t, gateway, 'ana');
      const roomId = await newRoom(ana);
      assert.deepEqual(await sends(ana, roomId, 12), [...times(2, 'OK'), ...times(10, 'RATE_LIMITED')]);
    });
  }
});
