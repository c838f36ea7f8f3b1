import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import type { ErrorCode, Role } from '@parley/protocol';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 4: members come, go, and are given roles, over two gateways.

const NOWHERE = '01985d3c-7c00-7abc-8def-0123456789ab';
const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const owner = await connect({ after }, here, 'owner');
const mod = await connect({ after }, there, 'mod');
const max = await connect({ after }, here, 'max');
const mia = await connect({ after }, there, 'mia');
const stranger = await connect({ after }, there, 'stranger');
let names = 0;

async function newRoom(kind: 'public' | 'private', roles: Record<string, Role> = {}): Promise<string> {
  const { room } = await owner.ok('room:create', { name: `Members ${(names += 1)}`, kind });
  for (const [userId, role] of Object.entries(roles)) {
    await owner.ok('member:add', { roomId: room.id, userId });
    if (role !== 'member') await owner.ok('member:role', { roomId: room.id, userId, role });
  }
  return room.id;
}

async function rolesIn(roomId: string, by = owner): Promise<Record<string, Role>> {
  const { members } = await by.ok('room:members', { roomId });
  return Object.fromEntries(members.map(({ id, role }) => [id, role]));
}

async function countOf(roomId: string): Promise<number> {
  const { room } = await callOk(here, 'roomGet', { token: await token('owner'), params: { id: roomId } });
  return room.memberCount;
}

/** Nothing that was asked for by now is still on its way to the client: it hears something that came after. */
async function barrier(t: TestContext, client: Client): Promise<void> {
  const speaker = await connect(t, here, 'barrier');
  const { room } = await speaker.ok('room:create', { name: `Barrier ${(names += 1)}` });
  await client.ok('room:join', { roomId: room.id });
  await speaker.send(room.id, 'barrier');
  await client.waitFor('message:new', ({ roomId }) => roomId === room.id);
}

describe('member:add', () => {
  test('makes a member, who starts at the head, and tells all its devices with its own me', async (t) => {
    const roomId = await newRoom('private');
    await owner.send(roomId, 'before');
    const devices = await Promise.all([connect(t, here, 'added'), connect(t, there, 'added')]);
    assert.deepEqual(await owner.ok('member:add', { roomId, userId: 'added' }), {});
    for (const device of devices) {
      const { room } = await device.waitFor('room:added');
      assert.equal(room.id, roomId);
      assert.deepEqual(room.me, { role: 'member', lastReadSeq: 1, unread: 0 });
      assert.deepEqual([room.memberCount, room.kind], [2, 'private']);
    }
    // The owner was told when it made the room, and of nothing since.
    assert.deepEqual(
      owner.all('room:added').flatMap(({ room }) => (room.id === roomId ? room.memberCount : [])),
      [1],
    );
  });

  test('does not make sockets hear the room: a join does', async (t) => {
    const roomId = await newRoom('private');
    const added = await connect(t, there, 'added.later');
    await owner.ok('member:add', { roomId, userId: added.userId });
    await owner.send(roomId, 'unheard');
    const { messages } = await added.ok('room:join', { roomId });
    assert.equal(messages.length, 1);
    await owner.send(roomId, 'heard');
    await added.waitFor('message:new');
    assert.deepEqual(added.contents(roomId), ['heard']);
  });

  test('of a member changes nothing and tells nobody', async (t) => {
    const roomId = await newRoom('private', { mia: 'moderator' });
    const device = await connect(t, here, 'mia');
    assert.deepEqual(await owner.ok('member:add', { roomId, userId: 'mia' }), {});
    await barrier(t, device);
    assert.deepEqual(
      device.all('room:added').filter(({ room }) => room.id === roomId),
      [],
    );
    assert.deepEqual(await rolesIn(roomId), { owner: 'owner', mia: 'moderator' });
    assert.equal(await countOf(roomId), 2);
  });

  test('many times at once is one membership', async () => {
    const roomId = await newRoom('private', { mod: 'moderator' });
    await Promise.all([owner, mod, owner, mod].map((by) => by.ok('member:add', { roomId, userId: 'max' })));
    assert.equal(await countOf(roomId), 3);
  });

  test('an unknown user is NOT_FOUND', async () => {
    const roomId = await newRoom('private');
    await owner.refused('member:add', { roomId, userId: 'nobody.knows' }, 'NOT_FOUND');
  });

  test('in private rooms it is for owners and moderators, and for members if the room says so', async () => {
    const roomId = await newRoom('private', { mod: 'moderator', max: 'member' });
    await max.refused('member:add', { roomId, userId: 'mia' }, 'FORBIDDEN');
    await mod.ok('member:add', { roomId, userId: 'mia' });
    await owner.ok('member:remove', { roomId, userId: 'mia' });
    const owners = await token('owner');
    const body = { membersCanInvite: true };
    await callOk(there, 'roomPatch', { token: owners, params: { id: roomId }, body });
    await max.ok('member:add', { roomId, userId: 'mia' });
    await callOk(there, 'roomPatch', { token: owners, params: { id: roomId }, body: { membersCanInvite: false } });
    await max.refused('member:add', { roomId, userId: 'stranger' }, 'FORBIDDEN');
  });

  test('in public rooms any member may', async () => {
    const roomId = await newRoom('public', { max: 'member' });
    await max.ok('member:add', { roomId, userId: 'mia' });
    assert.equal((await rolesIn(roomId))['mia'], 'member');
  });
});

describe('who is no member may do nothing', () => {
  const requests = (roomId: string): [string, unknown][] => [
    ['member:add', { roomId, userId: 'mia' }],
    ['member:remove', { roomId, userId: 'owner' }],
    ['member:remove', { roomId, userId: 'stranger' }],
    ['member:role', { roomId, userId: 'owner', role: 'member' }],
    ['member:mute', { roomId, userId: 'owner', forMs: 1_000 }],
    ['member:ban', { roomId, userId: 'owner', on: true }],
    ['member:ban', { roomId, userId: 'owner', on: false }],
  ];
  async function allRefused(roomId: string, code: ErrorCode) {
    const answers = [];
    for (const [event, payload] of requests(roomId)) answers.push(await stranger.refused(event, payload, code));
    const rest = { token: await token('stranger'), params: { id: roomId } };
    answers.push(errorOf(await call(there, 'roomLeaveDelete', rest), code));
    answers.push(errorOf(await call(there, 'roomPatch', { ...rest, body: { topic: 'x' } }), code));
    answers.push(errorOf(await call(there, 'roomAuditGet', rest), code));
    return answers;
  }

  test('NOT_A_MEMBER in a public room', async () => {
    const roomId = await newRoom('public');
    await allRefused(roomId, 'NOT_A_MEMBER');
    assert.deepEqual(await rolesIn(roomId), { owner: 'owner' });
  });

  test('NOT_FOUND in a private one, as in one that does not exist', async () => {
    const roomId = await newRoom('private');
    assert.deepEqual(await allRefused(roomId, 'NOT_FOUND'), await allRefused(NOWHERE, 'NOT_FOUND'));
    assert.deepEqual(await rolesIn(roomId), { owner: 'owner' });
  });
});

describe('roles', () => {
  test('owners give any role, also that of an owner, and take it', async () => {
    const roomId = await newRoom('private', { max: 'member' });
    for (const role of ['moderator', 'owner', 'member'] as const) {
      assert.deepEqual(await owner.ok('member:role', { roomId, userId: 'max', role }), {});
      assert.equal((await rolesIn(roomId))['max'], role);
    }
  });

  test('the only owner can not be demoted; with a second one it can, also by itself', async () => {
    const roomId = await newRoom('private', { max: 'member' });
    for (const role of ['member', 'moderator']) {
      await owner.refused('member:role', { roomId, userId: 'owner', role }, 'CONFLICT');
    }
    await owner.ok('member:role', { roomId, userId: 'owner', role: 'owner' });
    await owner.ok('member:role', { roomId, userId: 'max', role: 'owner' });
    await owner.ok('member:role', { roomId, userId: 'owner', role: 'member' });
    await owner.refused('member:role', { roomId, userId: 'owner', role: 'owner' }, 'FORBIDDEN');
    assert.deepEqual(await rolesIn(roomId), { owner: 'member', max: 'owner' });
  });

  test('two owners who demote each other at once leave one', async () => {
    const roomId = await newRoom('private', { max: 'owner' });
    const acks = await Promise.all([
      owner.request('member:role', { roomId, userId: 'max', role: 'member' }),
      max.request('member:role', { roomId, userId: 'owner', role: 'member' }),
    ]);
    assert.equal(acks.filter(({ ok }) => ok).length, 1);
    assert.deepEqual(Object.values(await rolesIn(roomId)).toSorted(), ['member', 'owner']);
  });

  test('moderators and members give none', async () => {
    const roomId = await newRoom('private', { mod: 'moderator', max: 'member', mia: 'member' });
    for (const by of [mod, max]) {
      for (const userId of ['owner', 'mod', 'max', 'mia']) {
        await by.refused('member:role', { roomId, userId, role: 'moderator' }, 'FORBIDDEN');
      }
    }
  });

  test('moderators do not touch owners and other moderators, members touch nobody', async () => {
    const roomId = await newRoom('private', { mod: 'moderator', mia: 'moderator', max: 'member', stranger: 'member' });
    const acts = (userId: string): [string, unknown][] => [
      ['member:remove', { roomId, userId }],
      ['member:mute', { roomId, userId, forMs: 60_000 }],
      ['member:ban', { roomId, userId, on: true }],
    ];
    const before = await rolesIn(roomId);
    for (const userId of ['owner', 'mia']) for (const act of acts(userId)) await mod.refused(...act, 'FORBIDDEN');
    for (const userId of ['owner', 'mod', 'stranger']) {
      for (const act of acts(userId)) await max.refused(...act, 'FORBIDDEN');
    }
    await max.refused('member:ban', { roomId, userId: 'barrier', on: false }, 'FORBIDDEN');
    assert.deepEqual(await rolesIn(roomId), before);
    for (const act of acts('stranger').slice(1)) assert.ok((await mod.request(...act)).ok);
    for (const act of acts('mia').slice(1)) assert.ok((await owner.request(...act)).ok);
  });

  test('a target that is no member is NOT_FOUND, but not for a ban', async () => {
    const roomId = await newRoom('private', { mod: 'moderator' });
    for (const userId of ['stranger', 'nobody.knows']) {
      for (const by of [owner, mod]) {
        await by.refused('member:remove', { roomId, userId }, 'NOT_FOUND');
        await by.refused('member:mute', { roomId, userId, forMs: 1_000 }, 'NOT_FOUND');
      }
      await owner.refused('member:role', { roomId, userId, role: 'moderator' }, 'NOT_FOUND');
    }
    await owner.refused('member:ban', { roomId, userId: 'nobody.knows', on: true }, 'NOT_FOUND');
    await mod.ok('member:ban', { roomId, userId: 'stranger', on: true });
  });
});

describe('member:mute', () => {
  test('sends are MUTED with details.until, others are not, and 0 lifts it', async () => {
    const roomId = await newRoom('private', { max: 'member', mod: 'moderator' });
    const before = Date.now();
    assert.deepEqual(await mod.ok('member:mute', { roomId, userId: 'max', forMs: 60_000 }), {});
    const send = { roomId, content: 'psst', clientMsgId: 'muted-1' };
    const error = await max.refused('message:send', send, 'MUTED');
    const { until } = error.details as { until: string };
    assert.ok(Date.parse(until) >= before + 59_000 && Date.parse(until) <= Date.now() + 61_000, until);
    const { room } = await max.ok('room:join', { roomId });
    assert.equal(room.me?.mutedUntil, until);
    await mod.send(roomId, 'still here');
    await owner.ok('member:mute', { roomId, userId: 'max', forMs: 0 });
    assert.equal((await max.ok('message:send', send)).duplicate, false);
    await owner.ok('member:mute', { roomId, userId: 'max', forMs: 0 });
    assert.ok(!('mutedUntil' in ((await max.ok('room:join', { roomId })).room.me ?? {})));
  });

  test('takes the longest time that may be given', async () => {
    const roomId = await newRoom('private', { max: 'member' });
    await owner.ok('member:mute', { roomId, userId: 'max', forMs: 100 * 365 * 86_400_000 });
    await max.refused('message:send', { roomId, content: 'x', clientMsgId: 'x' }, 'MUTED');
  });
});

describe('going', () => {
  test('a removed member is told on all devices, hears nothing more, and may come back to a public room', async (t) => {
    const roomId = await newRoom('public', { mod: 'moderator' });
    const devices = await Promise.all([connect(t, here, 'gone'), connect(t, there, 'gone'), connect(t, there, 'gone')]);
    const [hearing, also, idle] = devices;
    for (const device of [hearing, also]) await device.ok('room:join', { roomId });
    await mod.ok('member:remove', { roomId, userId: 'gone' });
    await owner.send(roomId, 'without gone');
    for (const device of devices) {
      assert.deepEqual(await device.waitFor('room:removed'), { roomId, reason: 'removed' });
      await barrier(t, device);
      assert.deepEqual(device.contents(roomId), []);
    }
    await idle.refused('message:send', { roomId, content: 'x', clientMsgId: 'x' }, 'NOT_A_MEMBER');
    await idle.refused('message:history', { roomId }, 'NOT_A_MEMBER');
    const { rooms } = await also.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
    assert.deepEqual(
      rooms.map((room) => [room.ok, !room.ok && room.error.code]),
      [[false, 'NOT_A_MEMBER']],
    );
    const back = await hearing.ok('room:join', { roomId });
    assert.equal(back.room.me?.role, 'member');
    assert.equal(back.room.memberCount, 3);
    await owner.send(roomId, 'with gone');
    await hearing.waitFor('message:new', ({ content }) => content === 'with gone');
  });

  test('from a private room it is as if it did not exist', async () => {
    const roomId = await newRoom('private', { mia: 'member' });
    await mia.ok('room:join', { roomId });
    await owner.ok('member:remove', { roomId, userId: 'mia' });
    await mia.refused('room:join', { roomId }, 'NOT_FOUND');
    await mia.refused('message:send', { roomId, content: 'x', clientMsgId: 'x' }, 'NOT_FOUND');
    const { rooms } = await mia.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
    assert.deepEqual(
      rooms.map((room) => [room.ok, !room.ok && room.error.code]),
      [[false, 'NOT_FOUND']],
    );
    assert.equal(await countOf(roomId), 1);
  });

  test('removing oneself is leaving for good: the asking socket has its answer, the other devices are told', async (t) => {
    const roomId = await newRoom('private', { mia: 'member' });
    const asking = await connect(t, here, 'mia');
    for (const device of [asking, mia]) await device.ok('room:join', { roomId });
    assert.deepEqual(await asking.ok('member:remove', { roomId, userId: 'mia' }), {});
    await mia.waitFor('room:removed', (removed) => removed.roomId === roomId && removed.reason === 'left');
    await owner.send(roomId, 'without mia');
    for (const device of [asking, mia]) {
      await barrier(t, device);
      assert.deepEqual(device.contents(roomId), []);
    }
    assert.deepEqual(asking.all('room:removed'), [{ roomId, reason: 'left' }]);
    await asking.refused('member:remove', { roomId, userId: 'mia' }, 'NOT_FOUND');
  });

  test('nothing of the room comes after room:removed, not even what was read before', async (t) => {
    const [roomId, besideId] = [await newRoom('public'), await newRoom('public')];
    const [reading, told] = [await connect(t, here, 'reader'), await connect(t, there, 'reader')];
    for (const id of [roomId, besideId]) {
      for (const device of [reading, told]) await device.ok('room:join', { roomId: id });
      await owner.send(id, 'read me');
    }
    await reading.ok('message:read', { roomId, seq: 1 });
    await owner.ok('member:remove', { roomId, userId: 'reader' });
    await reading.ok('message:read', { roomId: besideId, seq: 1 }); // the marker
    await told.waitFor('message:read', (read) => read.roomId === besideId);
    const ofRoom = told.heard.filter(({ payload }) => (payload as { roomId?: string }).roomId === roomId);
    assert.equal(ofRoom.at(-1)?.event, 'room:removed');
  });

  test('DELETE members/me is the same', async (t) => {
    const roomId = await newRoom('public');
    const ned = await connect(t, there, 'ned');
    await ned.ok('room:join', { roomId });
    const rest = { token: await token('ned'), params: { id: roomId } };
    const answer = await call(here, 'roomLeaveDelete', rest);
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.deepEqual(await ned.waitFor('room:removed'), { roomId, reason: 'left' });
    await callRefused(here, 'roomLeaveDelete', 'NOT_A_MEMBER', rest);
    assert.deepEqual(await rolesIn(roomId), { owner: 'owner' });
  });

  test('the last owner passes the room to the oldest moderator, else to the oldest member', async () => {
    const roomId = await newRoom('private', { max: 'member', mod: 'moderator', mia: 'moderator', stranger: 'member' });
    await owner.ok('member:remove', { roomId, userId: 'owner' });
    assert.deepEqual(await rolesIn(roomId, max), { max: 'member', mod: 'owner', mia: 'moderator', stranger: 'member' });
    await mod.ok('member:role', { roomId, userId: 'mia', role: 'member' });
    await mod.ok('member:remove', { roomId, userId: 'mod' });
    assert.deepEqual(await rolesIn(roomId, max), { max: 'owner', mia: 'member', stranger: 'member' });
  });

  test('another owner stays the owner', async () => {
    const roomId = await newRoom('private', { max: 'member', mia: 'owner' });
    await owner.ok('member:remove', { roomId, userId: 'owner' });
    assert.deepEqual(await rolesIn(roomId, mia), { max: 'member', mia: 'owner' });
  });

  test('the last member leaves an empty room, and whoever comes next owns it', async () => {
    const roomId = await newRoom('public');
    await callOk(there, 'roomLeaveDelete', { token: await token('owner'), params: { id: roomId } });
    assert.equal(await countOf(roomId), 0);
    assert.deepEqual((await stranger.ok('room:join', { roomId })).room.me?.role, 'owner');
    assert.deepEqual((await mia.ok('room:join', { roomId })).room.me?.role, 'member');
  });

  test('all owners and members who leave at once leave nobody behind and no wrong count', async () => {
    const roomId = await newRoom('private', { mod: 'owner', max: 'member', mia: 'moderator' });
    await Promise.all(
      [owner, mod, max, mia].map((client) => client.ok('member:remove', { roomId, userId: client.userId })),
    );
    for (const client of [owner, mod, max, mia]) await client.refused('room:members', { roomId }, 'NOT_FOUND');
  });
});

describe('room:added for joins and new rooms', () => {
  test('all devices of who joins or makes a room are told, the asking socket too', async (t) => {
    const roomId = await newRoom('public');
    const [asking, other] = [await connect(t, here, 'two.devices'), await connect(t, there, 'two.devices')];
    const joined = await asking.ok('room:join', { roomId });
    const { room } = await other.waitFor('room:added', (added) => added.room.id === roomId);
    assert.deepEqual([room.me, room.memberCount], [joined.room.me, 2]);
    await other.ok('room:join', { roomId }); // a member already
    const made = await asking.ok('room:create', { name: `Members ${(names += 1)}` });
    await other.waitFor('room:added', (added) => added.room.id === made.room.id);
    const named = await asking.ok('room:join', { name: `Members ${(names += 1)}`, create: true });
    await other.waitFor('room:added', (added) => added.room.id === named.room.id);
    await asking.waitFor('room:added', (added) => added.room.id === named.room.id);
    assert.deepEqual(
      asking.all('room:added').map((added) => added.room.id),
      [roomId, made.room.id, named.room.id],
    );
    assert.equal(other.all('room:added').filter((added) => added.room.id === roomId).length, 1);
  });

  test('over REST all devices are told', async (t) => {
    const roomId = await newRoom('public');
    const device = await connect(t, there, 'rest.user');
    const rest = { token: await token('rest.user'), params: { id: roomId } };
    await callOk(here, 'roomJoinPost', rest);
    await device.waitFor('room:added', (added) => added.room.id === roomId);
  });
});

describe('who is no member any more, which its gateway was not told', () => {
  const forget = async (t: TestContext, roomId: string, userId: string): Promise<void> => {
    const { pool } = lookInto(t, gateways.databaseUrl);
    await pool.query('delete from members where room_id = $1 and user_id = $2', [roomId, userId]);
    await pool.query('update rooms set member_count = member_count - 1 where id = $1', [roomId]);
  };

  test('becomes one again by joining a public room', async (t) => {
    const roomId = await newRoom('public', { max: 'moderator' });
    await max.ok('room:join', { roomId });
    await forget(t, roomId, 'max');
    const { room } = await max.ok('room:join', { roomId });
    assert.deepEqual([room.me?.role, room.memberCount], ['member', 2]);
    await max.waitFor('room:added', ({ room: { id, me } }) => id === roomId && me?.role === 'member');
    await owner.send(roomId, 'heard');
    await max.waitFor('message:new', (message) => message.roomId === roomId);
  });

  test('finds neither a private room by joining, nor any room by a sync', async (t) => {
    const [shut, open] = [await newRoom('private', { max: 'member' }), await newRoom('public', { max: 'member' })];
    for (const roomId of [shut, open]) {
      await max.ok('room:join', { roomId });
      await max.ok('room:leave', { roomId });
      await forget(t, roomId, 'max');
    }
    await max.refused('room:join', { roomId: shut }, 'NOT_FOUND');
    const { rooms } = await max.ok('rooms:sync', { rooms: [shut, open].map((roomId) => ({ roomId, seq: 0 })) });
    assert.deepEqual(
      rooms.map((entry) => [entry.roomId, entry.ok || entry.error.code]),
      [
        [shut, 'NOT_FOUND'],
        [open, 'NOT_A_MEMBER'],
      ],
    );
    for (const roomId of [shut, open]) await owner.send(roomId, 'not for him');
    await barrier(t, max);
    assert.deepEqual([...max.contents(shut), ...max.contents(open)], []);
  });
});
