import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { ConnectError } from '@parley/protocol';
import { eventually } from '@parley/test-support';
import { connect, connectRefused } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused, errorOf, http } from '../support/http.ts';
import { inSeconds, token } from '../support/tokens.ts';
import { handshake, kinds } from '../support/transport.ts';

// Contract, section 2: answers, in acknowledgements, without them, and over REST.

const NOWHERE = '01985d3c-7c00-7abc-8def-0123456789ab';

const gateways = await startGateways({ after }, 2, { MAX_MESSAGE_LENGTH: '10', MAX_FRAME_BYTES: '20000' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana');
const ben = await connect({ after }, there, 'ben');
const anas = await token('ana');
const { room } = await ana.ok('room:create', { name: 'Answers' });
const roomId = room.id;

describe('in an acknowledgement', () => {
  for (const [code, event, payload] of [
    ['UNKNOWN_EVENT', 'no:such', {}],
    ['UNKNOWN_EVENT', 'toString', {}],
    ['UNKNOWN_EVENT', 'message:new', { roomId }],
    ['VALIDATION_ERROR', 'message:send', { roomId }],
    ['MESSAGE_TOO_LONG', 'message:send', { roomId, content: 'x'.repeat(11), clientMsgId: 'c' }],
    ['NOT_FOUND', 'room:join', { roomId: NOWHERE }],
    ['CONFLICT', 'room:create', { name: 'answers' }],
    ['UNAUTHORIZED', 'session:renew', { token: 'x' }],
  ] as const) {
    test(`${event}: ${code}`, async () => {
      const error = await ana.refused(event, payload, code);
      assert.ok(error.message.length > 0);
      assert.equal(error.retryAfterMs, undefined);
    });
  }

  test('session:renew: TOKEN_EXPIRED and FORBIDDEN', async () => {
    await ana.refused('session:renew', { token: await token('ana', { exp: inSeconds(-1) }) }, 'TOKEN_EXPIRED');
    await ana.refused('session:renew', { token: await token('ben') }, 'FORBIDDEN');
  });

  test('message:send: NOT_A_MEMBER', async () => {
    await ben.refused('message:send', { roomId, content: 'x', clientMsgId: 'c' }, 'NOT_A_MEMBER');
  });

  test('message:send: MUTED, with details.until', async (t) => {
    const until = new Date(Date.now() + 60_000);
    const { db } = lookInto(t, gateways.databaseUrl);
    const cid = await connect(t, there, 'cid');
    await cid.ok('room:join', { roomId });
    const first = await cid.ok('message:send', { roomId, content: 'before', clientMsgId: 'before' });
    await db.updateTable('members').set({ muted_until: until }).where('user_id', '=', 'cid').execute();
    const error = await cid.refused('message:send', { roomId, content: 'x', clientMsgId: 'c' }, 'MUTED');
    assert.deepEqual(error.details, { until: until.toISOString() });
    const retry = await cid.ok('message:send', { roomId, content: 'before', clientMsgId: 'before' });
    assert.deepEqual(retry, { message: first.message, duplicate: true });
    const body = { content: 'x', clientMsgId: 'c' };
    const rest = { token: await token('cid'), params: { id: roomId }, body };
    assert.deepEqual((await callRefused(here, 'roomMessagesPost', 'MUTED', rest)).details, error.details);
    await cid.ok('message:history', { roomId });
    await db.updateTable('members').set({ muted_until: new Date() }).where('user_id', '=', 'cid').execute();
    await cid.send(roomId, 'again');
  });

  test('VALIDATION_ERROR lists every path with a message', async () => {
    const { details } = await ana.refused('message:send', { roomId: 'x', content: 7 }, 'VALIDATION_ERROR');
    assert.ok(Array.isArray(details));
    assert.deepEqual(details.map(({ path }) => path).toSorted(), ['clientMsgId', 'content', 'roomId']);
    const nested = await ana.refused('room:join', { roomId, cursor: { seq: -1 } }, 'VALIDATION_ERROR');
    assert.equal(Array.isArray(nested.details) && nested.details[0]?.path, 'cursor.seq');
  });

  test('errors do not repeat what was sent', async () => {
    const secret = 'a-secret-that-nobody-should-see';
    const answers = [
      await ana.request('session:renew', { token: secret }),
      await ana.request('message:send', { roomId: secret, content: [secret], clientMsgId: { [secret]: 1 } }),
    ];
    for (const answer of answers) assert.ok(!JSON.stringify(answer).includes(secret));
  });

  test('every failure leaves the connection as it was', async () => {
    assert.deepEqual(ana.disconnects, []);
    assert.deepEqual(ben.disconnects, []);
    await ana.ok('room:list', {});
  });

  test('a payload may be missing where all of it is optional', async () => {
    const bare = await ana.request('room:list');
    assert.ok(bare.ok);
    const needed = await ana.request('room:create');
    assert.equal(!needed.ok && needed.error.code, 'VALIDATION_ERROR');
  });

  test('more arguments than the payload are ignored', async () => {
    const ack = await ana.request('room:list', {}, 'more', [{ and: 'more' }]);
    assert.ok(ack.ok);
  });
});

describe('without an acknowledgement', () => {
  test('a failure is request:error, with the event', async (t) => {
    const client = await connect(t, here, 'dan');
    const payloads: [event: string, payload: unknown, code: string][] = [
      ['no:such', {}, 'UNKNOWN_EVENT'],
      ['message:send', { roomId }, 'VALIDATION_ERROR'],
      ['message:send', { roomId, content: 'x', clientMsgId: 'c' }, 'NOT_A_MEMBER'],
      ['room:join', { roomId: NOWHERE }, 'NOT_FOUND'],
    ];
    for (const [event, payload, code] of payloads) {
      client.socket.emit(event, payload);
      const error = await client.waitFor('request:error', (one) => one.event === event && one.code === code);
      assert.ok(error.message.length > 0);
      assert.equal(Array.isArray(error.details), code === 'VALIDATION_ERROR');
    }
    assert.equal(client.all('request:error').length, payloads.length);
  });

  test('a success is silent, and is done all the same', async () => {
    const content = 'quiet';
    ana.socket.emit('message:send', { roomId, content, clientMsgId: randomUUID() });
    await eventually(async () => {
      const { messages } = await ana.ok('message:history', { roomId });
      assert.ok(messages.some((message) => message.content === content));
    });
    assert.equal(ana.all('request:error').length, 0);
  });
});

describe('over REST', () => {
  const json = { authorization: `Bearer ${anas}`, 'content-type': 'application/json' };
  const post = (path: string, body: string | Buffer, headers: Record<string, string> = json) =>
    http(here, path, { method: 'POST', headers, body });

  test('an unknown route or method is 404 with the same body', async () => {
    for (const [method, path] of [
      ['GET', '/api/no/such'],
      ['GET', '/api'],
      ['GET', '/'],
      ['PUT', '/api/rooms'],
      ['DELETE', '/api/me'],
      ['GET', '/metrics'],
      ['GET', '/api/rooms/../../etc/passwd'],
    ] as const) {
      errorOf(await http(here, path, { method, headers: { authorization: json.authorization } }), 'NOT_FOUND');
    }
  });

  test('an optional body may be empty, whatever its type is said to be', async () => {
    for (const headers of [json, { authorization: json.authorization }]) {
      assert.equal((await post(`/api/rooms/${roomId}/join`, '', headers)).status, 200);
    }
  });

  test('no token or a bad one is 401 on every route that needs one', async () => {
    const params = { id: roomId };
    for (const [id, body] of [
      ['meGet', undefined],
      ['mePatch', {}],
      ['roomsGet', undefined],
      ['roomsPost', { name: 'X' }],
      ['roomGet', undefined],
      ['roomJoinPost', {}],
      ['roomMembersGet', undefined],
      ['roomMessagesGet', undefined],
      ['roomMessagesPost', { content: 'x', clientMsgId: 'c' }],
    ] as const) {
      await callRefused(here, id, 'UNAUTHORIZED', { params, body });
      await callRefused(here, id, 'UNAUTHORIZED', { params, body, token: 'x.y.z' });
      const expired = await token('ana', { exp: inSeconds(-1) });
      await callRefused(here, id, 'TOKEN_EXPIRED', { params, body, token: expired });
    }
  });

  test('invalid JSON, none, and other types are VALIDATION_ERROR', async () => {
    for (const body of ['{', 'hello', '{"name":"X"', '{"name":"X"}}', '\u0000', '[]', '"x"', '7', 'null', 'true', '']) {
      errorOf(await post('/api/rooms', body), 'VALIDATION_ERROR');
    }
    errorOf(await post('/api/rooms', Buffer.from([0xff, 0xfe, 0x7b])), 'VALIDATION_ERROR');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'nonsense']) {
      errorOf(await post('/api/rooms', '{"name":"X"}', { ...json, 'content-type': type }), 'VALIDATION_ERROR');
    }
  });

  test('a body over MAX_FRAME_BYTES is PAYLOAD_TOO_LARGE', async () => {
    const body = (size: number) => JSON.stringify({ name: 'X', topic: 'x'.repeat(size) });
    errorOf(await post('/api/rooms', body(20_000)), 'PAYLOAD_TOO_LARGE');
    errorOf(await post('/api/rooms', body(15_000)), 'VALIDATION_ERROR');
    errorOf(await post('/api/auth/login', body(20_000), { 'content-type': 'application/json' }), 'PAYLOAD_TOO_LARGE');
    errorOf(await post('/api/rooms', body(20_000), { ...json, 'transfer-encoding': 'chunked' }), 'PAYLOAD_TOO_LARGE');
  });

  test('a path that is no good is answered like any other mistake', async () => {
    for (const path of ['/api/rooms/%', '/api/rooms/%zz', '/api/rooms/%E0%A4%A', `/api/rooms/${'x'.repeat(3_000)}`]) {
      const answer = await http(here, path, { headers: json });
      errorOf(answer, answer.status === 404 ? 'NOT_FOUND' : 'VALIDATION_ERROR');
    }
  });

  test('unknown fields of a body and a query are ignored', async () => {
    const forged = { name: `F ${randomUUID()}`, id: NOWHERE, createdBy: 'ben', headSeq: 9, memberCount: 9, me: {} };
    const made = await callOk(here, 'roomsPost', { token: anas, body: forged });
    assert.deepEqual([made.room.createdBy, made.room.headSeq, made.room.memberCount], ['ana', 0, 1]);
    assert.notEqual(made.room.id, NOWHERE);
    await callOk(here, 'roomsGet', { token: anas, query: { colour: 'red' } });
    const polluted = `{"name":"P ${randomUUID()}","__proto__":{"topic":"evil"},"constructor":{"prototype":{"x":1}}}`;
    const answer = await post('/api/rooms', polluted);
    assert.equal(answer.status, 201);
    assert.ok(!answer.text.includes('evil'));
  });

  test('parameters given twice are VALIDATION_ERROR, not a fault', async () => {
    for (const query of ['limit=1&limit=2', 'scope=mine&scope=public', 'search=a&search=b', 'cursor=a&cursor=b']) {
      errorOf(await http(here, `/api/rooms?${query}`, { headers: json }), 'VALIDATION_ERROR');
    }
  });
});

test('a fault of the server is INTERNAL with a requestId that the log knows, and nothing leaks', async (t) => {
  const own = await startGateways(t, 1);
  const gateway = gatewayAt(own, 0);
  const client = await connect(t, gateway, 'eve');
  await lookInto(t, own.databaseUrl).pool.query('alter table rooms rename to moved');
  const errors = [
    await client.refused('room:list', {}, 'INTERNAL'),
    await callRefused(gateway, 'roomsGet', 'INTERNAL', { token: await token('eve') }),
  ];
  for (const { details, ...rest } of errors) {
    const { requestId } = details as { requestId: string };
    assert.ok(own.faults.some((line) => line.includes(requestId)));
    assert.doesNotMatch(JSON.stringify(rest), /rooms|relation|select|sql|pg|at /i);
    assert.deepEqual(Object.keys(details ?? {}), ['requestId']);
  }
  own.faults.length = 0;
});

test('so is a fault at CONNECT and before the upgrade', async (t) => {
  const own = await startGateways(t, 1);
  const gateway = gatewayAt(own, 0);
  await lookInto(t, own.databaseUrl).pool.query('alter table users rename to moved');
  const jwt = await token('eve');
  for (const kind of kinds) {
    const refused = await connectRefused(t, gateway, 'eve', { token: jwt, transports: [kind] });
    assert.equal(refused.message, 'INTERNAL');
    const answer = await handshake(kind, gateway, { authorization: `Bearer ${jwt}` });
    for (const { details, ...rest } of [ConnectError.parse(refused.data), errorOf(answer, 'INTERNAL')]) {
      const { requestId } = details as { requestId: string };
      assert.ok(own.faults.some((line) => line.includes(requestId)));
      assert.doesNotMatch(JSON.stringify(rest), /users|relation|select|sql|pg|at /i);
    }
  }
  own.faults.length = 0;
});
