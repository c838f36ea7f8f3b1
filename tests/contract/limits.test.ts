import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { limits, type Ack, type ErrorCode, type Payload, type sessionEndedEvent } from '@parley/protocol';
import { collect, eventually } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import type { Environment } from '../support/environment.ts';
import { startGateways, type TestGateway } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 8: rates of users. Windows are an hour long where time must not matter.

type SessionEnded = Payload<typeof sessionEndedEvent>;

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
      await delay(retryAfterMs + 1); // Node's timers may be a millisecond early
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

  test('is shown as mutedUntil, and lifted like any other mute', async (t) => {
    const [here, there] = (await start(2, env)) as [TestGateway, TestGateway];
    const [owner, ana] = [await connect(t, here, 'owner'), await connect(t, there, 'ana')];
    const roomId = await newRoom(owner);
    await ana.ok('room:join', { roomId });
    assert.deepEqual((await sends(ana, roomId, 6)).slice(2), [...times(3, 'RATE_LIMITED'), 'MUTED']);
    const { until } = (await ana.refused('message:send', message(roomId), 'MUTED')).details as { until?: string };
    assert.equal((await ana.ok('room:join', { roomId })).room.me?.mutedUntil, until);
    const listed = await ana.ok('room:list', { scope: 'mine' });
    assert.equal(listed.rooms.find(({ id }) => id === roomId)?.me?.mutedUntil, until);
    assert.deepEqual(await owner.ok('member:mute', { roomId, userId: 'ana', forMs: 0 }), {});
    assert.equal((await ana.ok('room:join', { roomId })).room.me?.mutedUntil, undefined);
    for (const device of [ana, await connect(t, here, 'ana')]) {
      assert.notEqual((await sends(device, roomId, 1))[0], 'MUTED'); // the window may still be full
    }
  });

  test('a mute ends by itself, and what led to it is forgotten', async (t) => {
    const [gateway] = (await start(1, { ...env, MUTE_FOR: '3s' })) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    const refusals = times(3, 'RATE_LIMITED');
    assert.deepEqual(await sends(ana, roomId, 6), [...times(2, 'OK'), ...refusals, 'MUTED']);
    const { retryAfterMs = 0 } = await ana.refused('message:send', message(roomId), 'MUTED');
    assert.ok(retryAfterMs <= 3_000);
    await delay(retryAfterMs + 1); // Node's timers may be a millisecond early
    assert.deepEqual(await sends(ana, roomId, 4), [...refusals, 'MUTED'], 'the window is full for an hour');
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

describe('RATE_ABUSE', () => {
  const env = { RATE_MESSAGES_ROOM: '1/1h', RATE_ABUSE: '5/1h' };
  const endingOf = (client: Client) => collect<SessionEnded>(client.socket, 'session:ended');

  test('so many refusals end the session that went on, after their answers, and not the one that was still', async (t) => {
    const [gateway] = (await start(1, env)) as [TestGateway];
    const [ana, still] = [await connect(t, gateway, 'ana'), await connect(t, gateway, 'ana')];
    const roomId = await newRoom(ana);
    const ending = endingOf(ana);
    assert.deepEqual(await sends(ana, roomId, 6), ['OK', ...times(5, 'RATE_LIMITED')]);
    const { code, reconnect, afterMs } = await ending.find(() => true);
    assert.deepEqual({ code, reconnect, afterMs }, { code: 'RATE_ABUSE', reconnect: false, afterMs: 3_600_000 });
    assert.equal(await ana.disconnected(), 'io server disconnect');
    await still.ok('room:list', {});
    const again = await connect(t, gateway, 'ana');
    await again.ok('room:list', {});
    for (const client of [still, again]) {
      assert.deepEqual(await sends(client, roomId, 1), ['RATE_LIMITED']);
      assert.equal(await client.disconnected(), 'io server disconnect');
    }
  });

  test('refusals count over all replicas, and those of joins, new rooms and REST with those of sends', async (t) => {
    const [here, there] = (await start(2, { ...env, RATE_JOIN: '1/1h', RATE_ROOM_CREATE: '1/1h' })) as [
      TestGateway,
      TestGateway,
    ];
    const [ana, anaToo] = [await connect(t, here, 'ana'), await connect(t, there, 'ana')];
    const roomId = await newRoom(ana);
    const endings = [endingOf(ana), endingOf(anaToo)];
    assert.deepEqual(await sends(anaToo, roomId, 2), ['OK', 'RATE_LIMITED']);
    await anaToo.ok('room:join', { roomId });
    await anaToo.refused('room:join', { roomId }, 'RATE_LIMITED');
    await ana.refused('room:create', { name: 'One more' }, 'RATE_LIMITED');
    const options = { token: await token('ana'), params: { id: roomId } };
    await callRefused(here, 'roomJoinPost', 'RATE_LIMITED', { ...options, body: {} });
    await callRefused(there, 'roomMessagesPost', 'RATE_LIMITED', {
      ...options,
      body: { content: 'x', clientMsgId: 'x' },
    });
    // Five now. Who has gone on where they were the last to be reported is sent away, the other with its next refusal.
    await eventually(() => assert.ok(endings.some(({ items }) => items.length > 0)));
    for (const client of [ana, anaToo]) client.socket.emit('message:send', message(roomId));
    for (const ending of endings) assert.equal((await ending.find(() => true)).code, 'RATE_ABUSE');
  });

  test('off', async (t) => {
    const [gateway] = (await start(1, { ...env, RATE_ABUSE: 'off' })) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    assert.deepEqual(await sends(ana, roomId, 20), ['OK', ...times(19, 'RATE_LIMITED')]);
    await ana.ok('room:list', {});
  });
});

describe('RATE_JOIN', () => {
  test('counts joins of a user over all replicas, by socket and REST; not syncs', async (t) => {
    const [here, there] = (await start(2, { RATE_JOIN: '3/1h' })) as [TestGateway, TestGateway];
    const [ana, anaToo] = [await connect(t, here, 'ana'), await connect(t, there, 'ana')];
    const roomId = await newRoom(ana);
    await ana.ok('room:join', { roomId });
    await anaToo.ok('room:join', { roomId });
    const options = { token: await token('ana'), params: { id: roomId }, body: {} };
    await callOk(there, 'roomJoinPost', options);
    for (const client of [ana, anaToo]) {
      const { retryAfterMs = 0 } = await client.refused('room:join', { roomId }, 'RATE_LIMITED');
      assert.ok(retryAfterMs > 3_500_000 && retryAfterMs <= 3_600_000, `it shall wait ${retryAfterMs} ms`);
    }
    await callRefused(here, 'roomJoinPost', 'RATE_LIMITED', options);
    await anaToo.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
  });
});

describe('RATE_ROOM_CREATE', () => {
  test('counts rooms that come into being, however they are made', async (t) => {
    const [here, there] = (await start(2, { RATE_ROOM_CREATE: '3/1h' })) as [TestGateway, TestGateway];
    const [ana, ben] = [await connect(t, here, 'ana'), await connect(t, there, 'ben')];
    const { room } = await ben.ok('room:create', { name: 'Taken' });
    const options = { token: await token('ana') };
    for (let index = 0; index < 5; index += 1) {
      await ana.refused('room:create', { name: 'taken' }, 'CONFLICT');
      await callRefused(there, 'roomsPost', 'CONFLICT', { ...options, body: { name: 'TAKEN' } });
      await ana.ok('room:join', { name: 'Taken', create: true });
    }
    await ana.ok('room:create', { name: 'First' });
    await callOk(there, 'roomsPost', { ...options, body: { name: 'Second' } });
    await ana.ok('room:join', { name: 'Third', create: true });
    await ana.refused('room:create', { name: 'Fourth' }, 'RATE_LIMITED');
    await ana.refused('room:join', { name: 'Fourth', create: true }, 'RATE_LIMITED');
    await callRefused(there, 'roomsPost', 'RATE_LIMITED', { ...options, body: { name: 'Fourth' } });
    await ana.ok('room:join', { name: 'Taken', create: true });
    await ana.ok('room:join', { roomId: room.id });
    await ben.refused('room:join', { name: 'Fourth' }, 'NOT_FOUND');
  });
});

describe('the figures of the sources can be set', () => {
  test('5 in 10 s to a room, then a mute of 30 s', async (t) => {
    const env = { RATE_MESSAGES_ROOM: '5/10s', MUTE_AFTER: '1/10s', MUTE_FOR: '30s' };
    const [gateway] = (await start(1, env)) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    const acks = await Promise.all(times(7, 0).map(() => send(ana, roomId)));
    assert.deepEqual(acks.map(outcome), [...times(5, 'OK'), 'RATE_LIMITED', 'MUTED']);
    for (const ack of acks.slice(5)) {
      assert.ok(!ack.ok && (ack.error.retryAfterMs ?? 0) > 20_000 && (ack.error.retryAfterMs ?? 0) <= 30_000);
      const { until = '' } = ack.error.details as { until?: string };
      assert.ok(Math.abs(Date.parse(until) - Date.now() - 30_000) < 10_000, `muted until ${until}`);
    }
  });

  test('20 in 1 s, then the end', async (t) => {
    const env = { RATE_MESSAGES_USER: '20/1s', RATE_ABUSE: '1/1s' };
    const [gateway] = (await start(1, env)) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    const ending = collect<SessionEnded>(ana.socket, 'session:ended');
    const acks: Ack<unknown>[] = [];
    for (let index = 0; index < 60; index += 1) {
      ana.socket.emit('message:send', message(roomId), (ack: Ack<unknown>) => acks.push(ack));
    }
    const { code, afterMs } = await ending.find(() => true);
    assert.deepEqual([code, afterMs], ['RATE_ABUSE', 1_000]);
    assert.equal(await ana.disconnected(), 'io server disconnect');
    // What was under way was answered before: whatever is stored is acknowledged.
    const passed = acks.filter(({ ok }) => ok).length;
    assert.ok(passed >= 20 && acks.some((ack) => outcome(ack) === 'RATE_LIMITED'));
    assert.equal(await headSeq(await connect(t, gateway, 'ben'), roomId), passed);
  });

  test('100 in a minute', async (t) => {
    const [gateway] = (await start(1, { RATE_MESSAGES_USER: '100/1m' })) as [TestGateway];
    const ana = await connect(t, gateway, 'ana');
    const roomId = await newRoom(ana);
    const acks = await Promise.all(times(103, 0).map(() => send(ana, roomId)));
    assert.deepEqual(acks.map(outcome), [...times(100, 'OK'), ...times(3, 'RATE_LIMITED')]);
  });
});

test('the defaults: ten to a room, three refusals, muted; told to those who asked for no answer, too', async (t) => {
  const env = Object.fromEntries(Object.keys(limits).map((name) => [name, '']));
  const [gateway] = (await start(1, { ...env, DRAIN_MS: '0' })) as [TestGateway];
  const ana = await connect(t, gateway, 'ana');
  const roomId = await newRoom(ana);
  const acks = await Promise.all(times(14, 0).map(() => send(ana, roomId)));
  assert.deepEqual(acks.map(outcome), [...times(10, 'OK'), ...times(3, 'RATE_LIMITED'), 'MUTED']);
  ana.socket.emit('message:send', message(roomId));
  const error = await ana.waitFor('request:error');
  assert.deepEqual([error.event, error.code], ['message:send', 'MUTED']);
  assert.ok((error.retryAfterMs ?? 0) > 20_000 && (error.retryAfterMs ?? 0) <= 30_000);
});
