import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { connect } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 4: direct rooms; and who does not want messages from whom.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const { db } = lookInto({ after }, gateways.databaseUrl);
const ana = await connect({ after }, here, 'ana', { token: await token('ana', { name: 'Ana' }) });
const ben = await connect({ after }, there, 'ben', { token: await token('ben', { name: 'Ben' }) });

describe('direct:open', () => {
  test('is the same room for both, every time, with the other as peer', async () => {
    const { room } = await ana.ok('direct:open', { userId: 'ben' });
    assert.deepEqual([room.kind, room.name, room.peer?.id, room.peer?.name], ['direct', 'Ben', 'ben', 'Ben']);
    assert.deepEqual(room.me, { role: 'member', lastReadSeq: 0, unread: 0 });
    assert.deepEqual([room.memberCount, room.createdBy], [2, 'ana']);
    const { room: his } = await ben.ok('direct:open', { userId: 'ana' });
    assert.deepEqual([his.id, his.name, his.peer?.id, his.createdBy], [room.id, 'Ana', 'ana', 'ana']);
    for (const client of [ana, ben]) {
      const again = await client.ok('direct:open', { userId: client === ana ? 'ben' : 'ana' });
      assert.equal(again.room.id, room.id);
    }
    const { members } = await ana.ok('room:members', { roomId: room.id });
    assert.deepEqual(
      members.map(({ id, role }) => [id, role]),
      [
        ['ana', 'member'],
        ['ben', 'member'],
      ],
    );
  });

  test('a new one is told to all devices of both, each with its own view; an old one to nobody', async (t) => {
    const [asking, other] = [await connect(t, here, 'cat'), await connect(t, there, 'cat')];
    const peers = [await connect(t, here, 'dan'), await connect(t, there, 'dan')];
    const { room } = await asking.ok('direct:open', { userId: 'dan' });
    const seen = (await other.waitFor('room:added')).room;
    assert.deepEqual([seen.id, seen.peer?.id, seen.me?.role], [room.id, 'dan', 'member']);
    for (const peer of peers) {
      const { room: theirs } = await peer.waitFor('room:added');
      assert.deepEqual([theirs.id, theirs.name, theirs.peer?.id, theirs.me?.role], [room.id, 'cat', 'cat', 'member']);
    }
    await peers[0]?.ok('direct:open', { userId: 'cat' });
    const next = await peers[1]?.ok('direct:open', { userId: 'ana' }); // the marker
    await peers[0]?.waitFor('room:added', (added) => added.room.id === next?.room.id);
    assert.equal(peers[0]?.all('room:added').length, 2);
    assert.deepEqual([asking.all('room:added').length, other.all('room:added').length], [1, 1]);
  });

  test('opened by both at once, many times, it is one room', async (t) => {
    const [eve, fay] = [await connect(t, here, 'eve'), await connect(t, there, 'fay')];
    const opened = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0 ? eve.ok('direct:open', { userId: 'fay' }) : fay.ok('direct:open', { userId: 'eve' }),
      ),
    );
    assert.equal(new Set(opened.map(({ room }) => room.id)).size, 1);
    const rooms = db.selectFrom('rooms').where('kind', '=', 'direct').where('created_by', 'in', ['eve', 'fay']);
    assert.equal((await rooms.select('id').execute()).length, 1);
    await eventually(() => assert.deepEqual([eve.all('room:added').length, fay.all('room:added').length], [1, 1]));
  });

  test('both hear it once they join, also with history and REST', async () => {
    const { room } = await ana.ok('direct:open', { userId: 'ben' });
    await ben.ok('direct:open', { userId: 'ana' });
    await ana.send(room.id, 'unheard');
    for (const client of [ana, ben]) await client.ok('room:join', { roomId: room.id });
    await ana.send(room.id, 'hello ben');
    await ben.waitFor('message:new', ({ content }) => content === 'hello ben');
    assert.deepEqual(ben.contents(room.id), ['hello ben']);
    const { rooms } = await ben.ok('room:list', { scope: 'mine' });
    assert.equal(rooms.find(({ id }) => id === room.id)?.me?.unread, 2);
  });

  test('oneself is VALIDATION_ERROR, an unknown user NOT_FOUND', async () => {
    const error = await ana.refused('direct:open', { userId: 'ana' }, 'VALIDATION_ERROR');
    assert.deepEqual(error.details, [{ path: 'userId', message: 'is oneself' }]);
    await ana.refused('direct:open', { userId: 'nobody.knows' }, 'NOT_FOUND');
  });

  test('nobody comes to it or goes: all of member:* and leaving for good are FORBIDDEN', async () => {
    const { room } = await ana.ok('direct:open', { userId: 'ben' });
    const target = { roomId: room.id, userId: 'ben' };
    await ana.refused('member:add', { ...target, userId: 'cat' }, 'FORBIDDEN');
    await ana.refused('member:remove', target, 'FORBIDDEN');
    await ana.refused('member:remove', { ...target, userId: 'ana' }, 'FORBIDDEN');
    await ana.refused('member:role', { ...target, role: 'owner' }, 'FORBIDDEN');
    await ana.refused('member:mute', { ...target, forMs: 1_000 }, 'FORBIDDEN');
    await ana.refused('member:ban', { ...target, on: true }, 'FORBIDDEN');
    await ana.refused('member:ban', { ...target, on: false }, 'FORBIDDEN');
    const rest = { token: await token('ana'), params: { id: room.id } };
    await callRefused(here, 'roomLeaveDelete', 'FORBIDDEN', rest);
    await callRefused(here, 'roomAuditGet', 'FORBIDDEN', rest);
    assert.equal((await ana.ok('direct:open', { userId: 'ben' })).room.memberCount, 2);
  });

  test('others do not see it', async (t) => {
    const { room } = await ana.ok('direct:open', { userId: 'ben' });
    const cat = await connect(t, there, 'cat');
    await cat.refused('room:join', { roomId: room.id }, 'NOT_FOUND');
    await cat.refused('member:add', { roomId: room.id, userId: 'cat' }, 'NOT_FOUND');
    await cat.refused('message:history', { roomId: room.id }, 'NOT_FOUND');
  });
});

describe('blocks', () => {
  test('what a blocked user sends into the direct room is FORBIDDEN from the answer on, until it is lifted', async (t) => {
    const [kim, lou] = [await connect(t, here, 'kim'), await connect(t, there, 'lou')];
    const { room } = await kim.ok('direct:open', { userId: 'lou' });
    const roomId = room.id;
    for (const client of [kim, lou]) await client.ok('room:join', { roomId });
    await lou.send(roomId, 'before');
    await kim.ok('user:block', { userId: 'lou', on: true });
    const send = { roomId, content: 'blocked', clientMsgId: 'blocked-1' };
    await lou.refused('message:send', send, 'FORBIDDEN');
    const { roomId: id, ...body } = send;
    await callRefused(here, 'roomMessagesPost', 'FORBIDDEN', { token: await token('lou'), params: { id }, body });
    await kim.send(roomId, 'the other way');
    await lou.waitFor('message:new', ({ content }) => content === 'the other way');
    const { messages } = await lou.ok('message:history', { roomId });
    assert.equal(messages.length, 2);
    await kim.ok('user:block', { userId: 'lou', on: false });
    const { message } = await lou.ok('message:send', send);
    assert.equal(message.seq, 3);
    await kim.waitFor('message:new', ({ seq }) => seq === 3);
    assert.deepEqual(kim.contents(roomId), ['before', 'blocked']);
  });

  test('concern direct rooms only', async (t) => {
    const [kim, lou] = [await connect(t, here, 'kim'), await connect(t, there, 'lou')];
    const { room } = await kim.ok('room:create', { name: 'Kim and Lou' });
    await lou.ok('room:join', { roomId: room.id });
    await kim.ok('user:block', { userId: 'lou', on: true });
    await lou.send(room.id, 'hello all');
    await kim.waitFor('message:new', ({ content }) => content === 'hello all');
  });

  test('who is blocked can not open a direct room, until it is lifted; the other can', async (t) => {
    const [gus, hal] = [await connect(t, here, 'gus'), await connect(t, there, 'hal')];
    for (let time = 0; time < 2; time += 1)
      assert.deepEqual(await gus.ok('user:block', { userId: 'hal', on: true }), {});
    await hal.refused('direct:open', { userId: 'gus' }, 'FORBIDDEN');
    for (let time = 0; time < 2; time += 1)
      assert.deepEqual(await gus.ok('user:block', { userId: 'hal', on: false }), {});
    const { room } = await hal.ok('direct:open', { userId: 'gus' });
    await gus.ok('user:block', { userId: 'hal', on: true });
    assert.equal((await hal.ok('direct:open', { userId: 'gus' })).room.id, room.id);
    const ivy = await connect(t, here, 'ivy');
    await hal.ok('user:block', { userId: 'ivy', on: true });
    await hal.ok('direct:open', { userId: 'ivy' });
    assert.ok(ivy);
  });

  test('oneself is VALIDATION_ERROR, an unknown user NOT_FOUND', async () => {
    const jwt = await token('ana');
    for (const on of [true, false]) {
      await ana.refused('user:block', { userId: 'ana', on }, 'VALIDATION_ERROR');
      await ana.refused('user:block', { userId: 'nobody.knows', on }, 'NOT_FOUND');
    }
    for (const route of ['userBlockPut', 'userBlockDelete'] as const) {
      await callRefused(here, route, 'NOT_FOUND', { token: jwt, params: { id: 'nobody.knows' } });
      await callRefused(here, route, 'VALIDATION_ERROR', { token: jwt, params: { id: 'ana' } });
      await callRefused(here, route, 'UNAUTHORIZED', { params: { id: 'ben' } });
    }
  });

  test('over REST the same, and the list of them in pages', async (t) => {
    const jwt = await token('lister');
    await connect(t, there, 'lister');
    const others = ['one', 'two', 'three'];
    for (const id of others) {
      await connect(t, there, id, { token: await token(id, { name: `Name of ${id}` }) });
      const answer = await call(here, 'userBlockPut', { token: jwt, params: { id } });
      assert.deepEqual([answer.status, answer.text], [204, '']);
    }
    const first = await callOk(there, 'blocksGet', { token: jwt, query: { limit: 2 } });
    const second = await callOk(there, 'blocksGet', {
      token: jwt,
      query: { limit: 2, cursor: first.nextCursor ?? '' },
    });
    assert.deepEqual(
      [...first.users, ...second.users],
      others.toSorted().map((id) => ({ id, name: `Name of ${id}` })),
    );
    assert.equal(second.nextCursor, undefined);
    await callOk(here, 'userBlockDelete', { token: jwt, params: { id: 'two' } });
    const { users } = await callOk(there, 'blocksGet', { token: jwt });
    assert.deepEqual(
      users.map(({ id }) => id),
      ['one', 'three'],
    );
    await callRefused(there, 'blocksGet', 'VALIDATION_ERROR', { token: jwt, query: { cursor: 'x' } });
  });
});
