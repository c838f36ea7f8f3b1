import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 3 and 4: making, finding and reading rooms, over sockets and REST.

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOWHERE = '01985d3c-7c00-7abc-8def-0123456789ab';

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana', { token: await token('ana', { name: 'Ana' }) });
const ben = await connect({ after }, there, 'ben', { token: await token('ben', { name: 'Ben' }) });
const anas = await token('ana');
const bens = await token('ben');

describe('room:create', () => {
  test('answers the room, with its maker as owner', async () => {
    const before = Date.now();
    const { room } = await ana.ok('room:create', { name: 'Garden', topic: 'Roses' });
    const { id, createdAt, ...rest } = room;
    assert.match(id, UUID_V7);
    assert.ok(Date.parse(createdAt) >= before - 1_000 && Date.parse(createdAt) <= Date.now() + 1_000);
    assert.deepEqual(rest, {
      name: 'Garden',
      kind: 'public',
      topic: 'Roses',
      createdBy: 'ana',
      headSeq: 0,
      headRev: 0,
      memberCount: 1,
      onlineCount: 1,
      me: { role: 'owner', lastReadSeq: 0, unread: 0 },
    });
  });

  test('joins the creating socket: it hears the room', async () => {
    const { room } = await ana.ok('room:create', { name: 'Heard' });
    await ben.ok('room:join', { roomId: room.id });
    await ben.send(room.id, 'hello');
    await ana.waitFor('message:new', ({ roomId }) => roomId === room.id);
  });

  test('over REST: 201, the same room', async () => {
    const { room } = await callOk(here, 'roomsPost', { token: anas, body: { name: 'By REST', kind: 'private' } });
    assert.deepEqual(room.me, { role: 'owner', lastReadSeq: 0, unread: 0 });
    assert.equal(room.kind, 'private');
    assert.ok(!('topic' in room));
    assert.deepEqual((await callOk(there, 'roomGet', { token: anas, params: { id: room.id } })).room, room);
  });

  test('names are trimmed, NFC, 1 to 50 letters, digits, space, - _ .', async () => {
    const nameOf = async (name: string) => (await ana.ok('room:create', { name })).room.name;
    assert.equal(await nameOf('  Cafe\u0301 1  '), 'Caf\u00e9 1');
    assert.equal(await nameOf('Привет, мир'.replace(',', '')), 'Привет мир');
    assert.equal(await nameOf('a-b_c.d 9'), 'a-b_c.d 9');
    assert.equal(await nameOf('x'.repeat(50)), 'x'.repeat(50));
    assert.equal(await nameOf('𝒳'.repeat(50)), '𝒳'.repeat(50));
    for (const name of ['', '   ', 'x'.repeat(51), 'a/b', 'a<b>', 'a\nb', 'a\u0000b', '🙂', '\u200b', 7, null, ['a']]) {
      await ana.refused('room:create', { name }, 'VALIDATION_ERROR');
      await callRefused(here, 'roomsPost', 'VALIDATION_ERROR', { token: anas, body: { name } });
    }
  });

  test('names are unique among public rooms without regard to case, at both gateways at once', async () => {
    await ana.ok('room:create', { name: 'Straße' });
    await ben.refused('room:create', { name: 'STRASSE' }, 'CONFLICT');
    await ben.refused('room:create', { name: ' straße ' }, 'CONFLICT');
    await callRefused(there, 'roomsPost', 'CONFLICT', { token: bens, body: { name: 'STRAßE' } });
    const race = await Promise.all([
      ana.request('room:create', { name: 'Race' }),
      ben.request('room:create', { name: 'RACE' }),
    ]);
    assert.equal(race.filter((ack) => ack.ok).length, 1);
  });

  test('private rooms may have any name twice', async () => {
    await ana.ok('room:create', { name: 'Twice' });
    for (const client of [ana, ben]) await client.ok('room:create', { name: 'Twice', kind: 'private' });
  });

  test('direct rooms are not made here', async () => {
    await ana.refused('room:create', { name: 'Direct', kind: 'direct' }, 'VALIDATION_ERROR');
  });

  test('an empty topic is none', async () => {
    const { room } = await ana.ok('room:create', { name: 'Topicless', topic: '' });
    assert.ok(!('topic' in room));
  });
});

describe('a room as others see it', () => {
  test('anybody may see a public room and its members; me is for members', async () => {
    const { room } = await ana.ok('room:create', { name: 'Open' });
    const { me: _mine, ...public_ } = room;
    const seen = await callOk(there, 'roomGet', { token: bens, params: { id: room.id } });
    assert.deepEqual(seen.room, public_);
    const { members } = await ben.ok('room:members', { roomId: room.id });
    assert.deepEqual(members, [{ id: 'ana', name: 'Ana', status: 'online', role: 'owner' }]);
  });

  test('a private room is NOT_FOUND for others, just as one that does not exist', async () => {
    const { room } = await ana.ok('room:create', { name: 'Hidden', kind: 'private' });
    const answers = async (roomId: string) => {
      const params = { id: roomId };
      const body = { content: 'x', clientMsgId: 'x' };
      return [
        await ben.refused('room:join', { roomId }, 'NOT_FOUND'),
        await ben.refused('room:leave', { roomId }, 'NOT_FOUND'),
        await ben.refused('room:members', { roomId }, 'NOT_FOUND'),
        await ben.refused('message:send', { roomId, ...body }, 'NOT_FOUND'),
        await ben.refused('message:history', { roomId }, 'NOT_FOUND'),
        await callRefused(there, 'roomGet', 'NOT_FOUND', { token: bens, params }),
        await callRefused(there, 'roomJoinPost', 'NOT_FOUND', { token: bens, params, body: {} }),
        await callRefused(there, 'roomMembersGet', 'NOT_FOUND', { token: bens, params }),
        await callRefused(there, 'roomMessagesGet', 'NOT_FOUND', { token: bens, params }),
        await callRefused(there, 'roomMessagesPost', 'NOT_FOUND', { token: bens, params, body }),
      ];
    };
    assert.deepEqual(await answers(room.id), await answers(NOWHERE), 'the answers tell that it exists');
    await ben.refused('room:join', { name: 'Hidden' }, 'NOT_FOUND');
    const { rooms } = await ben.ok('room:list', { search: 'Hidden' });
    assert.deepEqual(rooms, []);
    const stillMine = await callOk(here, 'roomGet', { token: anas, params: { id: room.id } });
    assert.equal(stillMine.room.memberCount, 1);
  });

  test('ids in upper case are the same ids, others are VALIDATION_ERROR', async () => {
    const { room } = await ana.ok('room:create', { name: 'Upper' });
    const joined = await ben.ok('room:join', { roomId: room.id.toUpperCase() });
    assert.equal(joined.room.id, room.id);
    await callOk(here, 'roomGet', { token: anas, params: { id: room.id.toUpperCase() } });
    for (const id of ['lobby', `${room.id}0`, "' or 1=1 --"]) {
      await ana.refused('room:join', { roomId: id }, 'VALIDATION_ERROR');
      await callRefused(here, 'roomGet', 'VALIDATION_ERROR', { token: anas, params: { id } });
    }
  });
});

describe('room:list', async () => {
  const owner = await connect({ after }, here, 'lister');
  const names = ['List 1', 'List 2', 'List 3', 'List 4', 'List 5'];
  const ids: string[] = [];
  for (const name of names) ids.push((await owner.ok('room:create', { name })).room.id);

  test('latest activity first: the newest, or where somebody spoke last', async () => {
    const listed = async () => (await ben.ok('room:list', { search: 'list ' })).rooms.map(({ name }) => name);
    assert.deepEqual(await listed(), names.toReversed());
    await owner.send(ids[1] ?? '', 'hello');
    assert.deepEqual(await listed(), ['List 2', 'List 5', 'List 4', 'List 3', 'List 1']);
  });

  test('pages: each room once, and no cursor on the last page', async () => {
    for (const limit of [1, 2, 5, 100]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ben.ok('room:list', { search: 'LIST', limit, ...(cursor !== undefined && { cursor }) });
        assert.ok(page.rooms.length <= limit);
        const query = { search: 'LIST', limit, ...(cursor !== undefined && { cursor }) };
        assert.deepEqual(await callOk(here, 'roomsGet', { token: bens, query }), page);
        seen.push(...page.rooms.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      assert.deepEqual(seen.toSorted(), ids.toSorted());
    }
  });

  test('a cursor that was tampered with is VALIDATION_ERROR, or some page, never a fault', async () => {
    const { nextCursor = '' } = await ben.ok('room:list', { search: 'list', limit: 1 });
    const plain = Buffer.from(nextCursor, 'base64url').toString();
    const changed = [plain.replace(/\d/g, '9'), plain.replace(/[0-9a-f]/g, '-'), plain.slice(3), '[]', 'null', '[1,2]'];
    const cursors = [
      'x',
      '%00',
      'x'.repeat(512),
      nextCursor.slice(0, -1),
      ...changed.map((text) => Buffer.from(text).toString('base64url')),
      ...Array.from(nextCursor, (_, at) => `${nextCursor.slice(0, at)}Z${nextCursor.slice(at + 1)}`),
    ];
    for (const cursor of cursors) {
      for (const request of [
        { event: 'room:list', payload: { cursor } },
        { event: 'room:members', payload: { roomId: ids[0], cursor } },
      ]) {
        const ack = await ben.request(request.event, request.payload);
        assert.ok(ack.ok || ack.error.code === 'VALIDATION_ERROR', `${cursor}: ${JSON.stringify(ack)}`);
      }
    }
  });

  test('scope mine: rooms of every kind one is a member of, with unread counts', async () => {
    const cat = await connect({ after }, there, 'cat');
    assert.deepEqual((await cat.ok('room:list', { scope: 'mine' })).rooms, []);
    const { room } = await cat.ok('room:create', { name: 'Of cat', kind: 'private' });
    await cat.ok('room:join', { roomId: ids[0] ?? '' });
    await owner.send(ids[0] ?? '', 'one');
    await owner.send(ids[0] ?? '', 'two');
    const { rooms } = await cat.ok('room:list', { scope: 'mine' });
    assert.deepEqual(
      rooms.map(({ id, me }) => [id, me?.unread]),
      [
        [ids[0], 2],
        [room.id, 0],
      ],
    );
    const { rooms: byRest } = await callOk(here, 'roomsGet', { token: await token('cat'), query: { scope: 'mine' } });
    assert.deepEqual(byRest, rooms);
    assert.ok((await cat.ok('room:list', { limit: 100 })).rooms.every(({ kind }) => kind === 'public'));
  });

  test('a page has 50 unless one asks for another size, 1 to 100', async () => {
    const maker = await connect({ after }, there, 'maker');
    for (let index = 0; index < 51; index += 1) await maker.ok('room:create', { name: `Sized ${index}` });
    assert.equal((await maker.ok('room:list', { search: 'sized' })).rooms.length, 50);
    assert.equal((await callOk(here, 'roomsGet', { token: anas, query: { search: 'sized' } })).rooms.length, 50);
    assert.equal((await maker.ok('room:list', { search: 'sized', limit: 100 })).rooms.length, 51);
    for (const limit of [0, 101, 1.5, '5']) {
      await maker.refused('room:list', { limit }, 'VALIDATION_ERROR');
      await maker.refused('room:members', { roomId: ids[0], limit }, 'VALIDATION_ERROR');
    }
  });

  test('without a payload it is the first page of the public rooms', async () => {
    const whole = await ben.ok('room:list', {});
    assert.deepEqual(await ben.request('room:list'), { ok: true, data: whole });
  });

  test('search finds a part of a name in any case, and takes wildcards as text', async () => {
    const found = async (search: string) => (await ben.ok('room:list', { search })).rooms.length;
    assert.equal(await found('ist 3'), 1);
    assert.equal(await found('LIST 3'), 1);
    for (const nothing of ['%', 'l_st 3', 'l%3', "'; drop table rooms; --", '\\'])
      assert.equal(await found(nothing), 0);
  });
});

describe('counts', () => {
  const countsOf = async (client: Client, roomId: string) => {
    const { members, online } = await client.ok('room:members', { roomId });
    const { room } = await callOk(here, 'roomGet', { token: anas, params: { id: roomId } });
    assert.equal(room.onlineCount, online, 'online and onlineCount are the same number');
    return { members: room.memberCount, listed: members.length, online };
  };

  test('members and who of them is online, over both gateways and several devices', async () => {
    const { room } = await ana.ok('room:create', { name: 'Counted' });
    assert.deepEqual(await countsOf(ana, room.id), { members: 1, listed: 1, online: 1 });
    await ben.ok('room:join', { roomId: room.id });
    const [phone, desk] = [await connect({ after }, here, 'dora'), await connect({ after }, there, 'dora')];
    const joined = await phone.ok('room:join', { roomId: room.id });
    assert.equal(joined.online, 3);
    assert.equal(joined.room.onlineCount, 3);
    await desk.ok('room:join', { roomId: room.id });
    assert.deepEqual(await countsOf(ana, room.id), { members: 3, listed: 3, online: 3 });
    phone.close();
    await desk.ok('room:list', {});
    assert.deepEqual(await countsOf(ana, room.id), { members: 3, listed: 3, online: 3 }, 'dora has another device');
    desk.close();
    await eventually(async () => assert.equal((await countsOf(ana, room.id)).online, 2));
    const { members } = await ana.ok('room:members', { roomId: room.id });
    const dora = members.find(({ id }) => id === 'dora');
    assert.equal(dora?.status, 'offline');
    assert.ok(Math.abs(Date.parse(dora?.lastSeenAt ?? '') - Date.now()) < 20_000);
  });

  test('room:members in pages: each member once', async () => {
    const { room } = await ana.ok('room:create', { name: 'Pages' });
    const names = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'];
    for (const name of names) {
      await callOk(there, 'roomJoinPost', { token: await token(name), params: { id: room.id }, body: {} });
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ben.ok('room:members', { roomId: room.id, limit: 3, ...(cursor !== undefined && { cursor }) });
      const query = { limit: 3, ...(cursor !== undefined && { cursor }) };
      const byRest = await callOk(here, 'roomMembersGet', { token: bens, params: { id: room.id }, query });
      assert.deepEqual(byRest, page);
      seen.push(...page.members.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen.toSorted(), ['ana', ...names]);
  });
});
