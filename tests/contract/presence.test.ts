import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test, type TestContext } from 'node:test';
import { eventually } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { gatewayAt, startGateways, type TestGateway } from '../support/gateways.ts';
import { callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 3 (status, lastSeenAt, onlineCount), 4 (presence:set, presence:get), 5 (presence:changed) and 7.7.

const GRACE_MS = 400;
const gateways = await startGateways({ after }, 2, { PRESENCE_GRACE_MS: String(GRACE_MS) });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

async function roomOf(...userIds: string[]): Promise<string> {
  const [first = '', ...others] = userIds;
  const { room } = await callOk(here, 'roomsPost', { token: await token(first), body: { name: unique('Room') } });
  for (const userId of others) await become(userId, room.id);
  return room.id;
}

async function become(userId: string, roomId: string): Promise<void> {
  await callOk(there, 'roomJoinPost', { token: await token(userId), params: { id: roomId }, body: {} });
}

/** What a client was told of a user's status so far. */
function toldOf(client: Client, userId: string) {
  return client
    .all('presence:changed')
    .flatMap(({ users }) => users)
    .filter(({ id }) => id === userId);
}

const waitForStatus = (client: Client, userId: string, status: string) =>
  eventually(
    () => {
      const last = toldOf(client, userId).at(-1);
      assert.equal(last?.status, status);
      return last;
    },
    { everyMs: 5, message: `${client.userId} waits for ${userId} to be ${status}` },
  );

/** Somebody else in the room comes and goes: what began before that has arrived by then, and its grace is over. */
async function graceIsOver(t: TestContext, watcher: Client, roomId: string): Promise<void> {
  for (const gateway of [here, there]) {
    const userId = unique('marker');
    await become(userId, roomId);
    const marker = await connect(t, gateway, userId);
    await waitForStatus(watcher, userId, 'online');
    marker.close();
    await waitForStatus(watcher, userId, 'offline');
  }
}

const statusOf = async (viewer: Client, userId: string) =>
  (await viewer.ok('presence:get', { userIds: [userId] })).users[0]?.status;

describe('coming and going', () => {
  for (const [where, gateway] of [
    ['at the same gateway', here],
    ['at another gateway', there],
  ] as const) {
    test(`is told to who shares a room, hearing it or not, ${where}`, async (t) => {
      const [ana, ben] = [unique('ana'), unique('ben')];
      await roomOf(ana, ben);
      const watcher = await connect(t, here, ana);
      const before = Date.now();
      const client = await connect(t, gateway, ben);
      assert.deepEqual(await waitForStatus(watcher, ben, 'online'), { id: ben, status: 'online' });
      assert.equal(await statusOf(watcher, ben), 'online');
      client.close();
      const gone = await waitForStatus(watcher, ben, 'offline');
      assert.ok(Date.parse(gone.lastSeenAt ?? '') >= before, `lastSeenAt is ${gone.lastSeenAt}`);
      const { users } = await watcher.ok('presence:get', { userIds: [ben] });
      assert.deepEqual(users, [{ ...gone, name: users[0]?.name }]);
      assert.deepEqual(
        toldOf(watcher, ben).map(({ status }) => status),
        ['online', 'offline'],
      );
    });
  }

  test('nobody is told who shares no room, nor the one who comes', async (t) => {
    const [ana, ben, eve] = [unique('ana'), unique('ben'), unique('eve')];
    const shared = await roomOf(ana, ben);
    const others = await roomOf(eve);
    const [watcher, stranger] = [await connect(t, here, ana), await connect(t, here, eve)];
    const client = await connect(t, there, ben);
    await waitForStatus(watcher, ben, 'online');
    await graceIsOver(t, watcher, shared);
    await graceIsOver(t, stranger, others);
    assert.deepEqual([toldOf(stranger, ben), toldOf(client, ben)], [[], []]);
  });

  test('is told once to who shares many rooms', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const rooms = await Promise.all([1, 2, 3, 4].map(() => roomOf(ana, ben)));
    const watcher = await connect(t, here, ana);
    const client = await connect(t, there, ben);
    await waitForStatus(watcher, ben, 'online');
    client.close();
    await waitForStatus(watcher, ben, 'offline');
    await graceIsOver(t, watcher, rooms[0] as string);
    assert.equal(toldOf(watcher, ben).length, 2);
  });

  test('a new member hears of the others from then on, a former one no more', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const roomId = await roomOf(ben);
    const watcher = await connect(t, here, ana);
    await become(ana, roomId);
    const client = await connect(t, there, ben);
    await waitForStatus(watcher, ben, 'online');
    await client.ok('presence:set', { status: 'away' });
    await waitForStatus(watcher, ben, 'away');
    assert.equal((await client.ok('room:members', { roomId })).online, 2);

    await watcher.ok('member:remove', { roomId, userId: ana });
    assert.equal((await client.ok('room:members', { roomId })).online, 1);
    await client.ok('presence:set', { status: 'dnd' });
    const cid = unique('cid');
    await roomOf(ana, cid);
    const marker = await connect(t, there, cid);
    await marker.ok('presence:set', { status: 'dnd' });
    await waitForStatus(watcher, cid, 'dnd');
    assert.equal(toldOf(watcher, ben).at(-1)?.status, 'away');
  });

  test('a user is online while any device is, wherever the last one was', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const roomId = await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    const [phone, tab, laptop] = [
      await connect(t, here, ben),
      await connect(t, here, ben),
      await connect(t, there, ben),
    ];
    await waitForStatus(watcher, ben, 'online');
    for (const device of [phone, laptop]) {
      device.close();
      await graceIsOver(t, watcher, roomId);
      assert.equal(await statusOf(watcher, ben), 'online');
    }
    tab.close();
    await waitForStatus(watcher, ben, 'offline');
    assert.deepEqual(
      toldOf(watcher, ben).map(({ status }) => status),
      ['online', 'offline'],
    );
  });

  test('a quick reconnect shows nothing: no presence:changed, no room:user_left, no room:user_joined', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const roomId = await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    await watcher.ok('room:join', { roomId });
    let client = await connect(t, here, ben);
    await client.ok('room:join', { roomId });
    await waitForStatus(watcher, ben, 'online');
    await watcher.waitFor('room:user_joined', ({ users }) => users[0]?.id === ben);
    for (const gateway of [here, there, there, here, there]) {
      client.close();
      client = await connect(t, gateway, ben);
      await client.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
    }
    await graceIsOver(t, watcher, roomId);
    assert.deepEqual(
      [toldOf(watcher, ben).length, rosterOf(watcher, roomId, ben)],
      [1, ['joined']],
      JSON.stringify(watcher.heard),
    );
    client.close();
    await waitForStatus(watcher, ben, 'offline');
    await watcher.waitFor('room:user_left', ({ users }) => users[0]?.id === ben);
  });

  test('an old socket that closes late does not hide a new one', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const roomId = await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    const old = await connect(t, here, ben);
    const fresh = await connect(t, there, ben);
    await waitForStatus(watcher, ben, 'online');
    old.socket.io.engine.close();
    await graceIsOver(t, watcher, roomId);
    assert.equal(await statusOf(watcher, ben), 'online');
    assert.equal(toldOf(watcher, ben).length, 1);
    fresh.close();
    await waitForStatus(watcher, ben, 'offline');
  });
});

describe('presence:set', () => {
  test('is told to the others and to one’s other devices; the asking socket has the answer', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const roomId = await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    const [asking, device] = [await connect(t, there, ben), await connect(t, here, ben)];
    const { user } = await asking.ok('presence:set', { status: 'away', statusText: 'Lunch' });
    assert.deepEqual([user.id, user.status, user.statusText], [ben, 'away', 'Lunch']);
    const expected = { id: ben, status: 'away', statusText: 'Lunch' };
    assert.deepEqual(await waitForStatus(watcher, ben, 'away'), expected);
    assert.deepEqual(await waitForStatus(device, ben, 'away'), expected);
    await graceIsOver(t, asking, roomId);
    assert.deepEqual(toldOf(asking, ben), []);
  });

  test('is shown wherever the user is, stays for the next connection, and ends with the text', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    const roomId = await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    const first = await connect(t, there, ben);
    await first.ok('presence:set', { status: 'dnd', statusText: 'Busy' });
    await waitForStatus(watcher, ben, 'dnd');
    const { members } = await watcher.ok('room:members', { roomId });
    assert.equal(members.find(({ id }) => id === ben)?.status, 'dnd');
    assert.equal(await statusOf(watcher, ben), 'dnd');
    first.close();
    const gone = await waitForStatus(watcher, ben, 'offline');
    assert.equal(gone.statusText, 'Busy');
    const second = await connect(t, here, ben);
    const ready = second.all('session:ready')[0]?.user;
    assert.deepEqual([ready?.status, ready?.statusText], ['dnd', 'Busy']);
    await waitForStatus(watcher, ben, 'dnd');
    const { user } = await second.ok('presence:set', { status: 'online', statusText: '' });
    assert.ok(!('statusText' in user));
    assert.deepEqual(await waitForStatus(watcher, ben, 'online'), { id: ben, status: 'online' });
  });

  test('without a text the text stays', async (t) => {
    const client = await connect(t, here, unique('ana'));
    await client.ok('presence:set', { status: 'online', statusText: 'Here' });
    assert.equal((await client.ok('presence:set', { status: 'away' })).user.statusText, 'Here');
  });

  test('many changes at once end with the last one', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    const client = await connect(t, there, ben);
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((statusText) => client.ok('presence:set', { status: 'away', statusText })));
    await eventually(() => assert.equal(toldOf(watcher, ben).at(-1)?.statusText, 'text 49'));
    assert.ok(toldOf(watcher, ben).length < 50, 'they are gathered');
  });

  test('offline is nothing to set, and no other either', async (t) => {
    const client = await connect(t, here, unique('ana'));
    for (const status of ['offline', 'busy', '', 1, null]) {
      await client.refused('presence:set', { status }, 'VALIDATION_ERROR');
    }
  });

  test('PATCH /me tells the new status text', async (t) => {
    const [ana, ben] = [unique('ana'), unique('ben')];
    await roomOf(ana, ben);
    const watcher = await connect(t, here, ana);
    const client = await connect(t, there, ben);
    await callOk(here, 'mePatch', { token: await token(ben), body: { statusText: 'By REST' } });
    for (const device of [watcher, client]) {
      await eventually(() =>
        assert.deepEqual(toldOf(device, ben).at(-1), { id: ben, status: 'online', statusText: 'By REST' }),
      );
    }
  });
});

describe('presence:get', () => {
  test('answers for those one shares a room with and oneself, in the order asked for, and leaves the others out', async (t) => {
    const [ana, ben, cid, eve] = [unique('ana'), unique('ben'), unique('cid'), unique('eve')];
    await roomOf(ana, ben);
    await roomOf(cid, ana);
    await roomOf(eve);
    const client = await connect(t, here, ana);
    await connect(t, there, eve);
    await connect(t, there, cid);
    const { users } = await client.ok('presence:get', { userIds: [cid, eve, 'nobody', ana, ben, cid] });
    assert.deepEqual(
      users.map(({ id, status }) => [id, status]),
      [
        [cid, 'online'],
        [ana, 'online'],
        [ben, 'offline'],
      ],
    );
    assert.ok(!('lastSeenAt' in (users[2] ?? {})), 'never online');
  });

  test('up to 200', async (t) => {
    const client = await connect(t, here, unique('ana'));
    const ids = Array.from({ length: 201 }, (_, index) => `u${index}`);
    assert.deepEqual(await client.ok('presence:get', { userIds: ids.slice(1) }), { users: [] });
    await client.refused('presence:get', { userIds: ids }, 'VALIDATION_ERROR');
  });
});

describe('onlineCount', () => {
  const counts = async (client: Client, roomId: string) => {
    const { online } = await client.ok('room:members', { roomId });
    const { rooms } = await client.ok('room:list', { scope: 'mine' });
    assert.equal(rooms.find(({ id }) => id === roomId)?.onlineCount, online, 'all say the same');
    return online;
  };

  test('is the members who are online, hearing the room or not, with one device or more', async (t) => {
    const [ana, ben, cid] = [unique('ana'), unique('ben'), unique('cid')];
    const roomId = await roomOf(ana, ben);
    const client = await connect(t, here, ana);
    assert.equal(await counts(client, roomId), 1);
    const devices = [await connect(t, there, ben), await connect(t, here, ben)];
    assert.equal(await counts(client, roomId), 2);
    await become(cid, roomId);
    assert.equal(await counts(client, roomId), 2, 'a new member who is offline');
    await connect(t, there, cid);
    const joined = await client.ok('room:join', { roomId });
    assert.deepEqual([joined.online, joined.room.onlineCount], [3, 3]);
    await client.ok('room:leave', { roomId });
    assert.equal(await counts(client, roomId), 3, 'not hearing is not being offline');
    devices[0]?.close();
    await graceIsOver(t, client, roomId);
    assert.equal(await counts(client, roomId), 3);
    devices[1]?.close();
    await waitForStatus(client, ben, 'offline');
    assert.equal(await counts(client, roomId), 2);
  });

  test('a crowd that comes and goes at once over both gateways leaves it right', async (t) => {
    const people = Array.from({ length: 20 }, (_, index) => unique(`p${index}`));
    const roomId = await roomOf(unique('owner'), ...people);
    const watcher = await connect(t, here, people[0] as string);
    for (let round = 0; round < 3; round += 1) {
      const come = (gateway: TestGateway) => people.slice(1).map((userId) => connect(t, gateway, userId));
      const clients = await Promise.all([...come(here), ...come(there)]);
      assert.equal(await counts(watcher, roomId), 20);
      for (const client of clients) client.close();
    }
    await eventually(async () => assert.equal(await counts(watcher, roomId), 1));
  });
});

/** What a client heard of a user in the roster of a room. */
function rosterOf(client: Client, roomId: string, userId: string): string[] {
  return client.heard.flatMap(({ event, payload }) => {
    const { roomId: of, users } = payload as { roomId?: string; users?: { id: string }[] };
    if (!event.startsWith('room:user_') || of !== roomId) return [];
    return users?.some(({ id }) => id === userId) ? [event.replace('room:user_', '')] : [];
  });
}
