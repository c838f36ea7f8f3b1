import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { childGateways } from '../support/child-gateways.ts';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { openDoor } from '../support/door.ts';
import { gatewayAt, startGateways, type TestGateway } from '../support/gateways.ts';
import { callOk, http } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 4 and 5: typing. It does not time out here, but where that is the matter.

const NEVER = '600000';
const gateways = await startGateways({ after }, 2, { TYPING_TIMEOUT_MS: NEVER });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana', { token: await token('ana', { name: 'Ana' }) });
const ben = await connect({ after }, there, 'ben');

/** A room of ana's that the others hear. */
async function roomOf(...others: Client[]): Promise<string> {
  const { room } = await ana.ok('room:create', { name: randomUUID() });
  for (const other of others) await other.ok('room:join', { roomId: room.id });
  return room.id;
}

/** What somebody was told of who types in a room, without markers: `+ana`, `-ana`. */
const told = (client: Client, roomId: string): string[] =>
  client.heard.flatMap(({ event, payload }) => {
    const of = payload as { roomId?: string; user?: { id: string } };
    if (!event.startsWith('typing:') || of.roomId !== roomId || of.user?.id.startsWith('marker')) return [];
    return `${event === 'typing:start' ? '+' : '-'}${of.user?.id}`;
  });

async function isTold(client: Client, roomId: string, expected: string[]): Promise<void> {
  await eventually(() => assert.deepEqual(told(client, roomId), expected), { everyMs: 5 });
}

function behind(url: string, door: { port: number }): string {
  const moved = new URL(url);
  moved.port = String(door.port);
  return moved.href;
}

let markers = 0;

/** All that was said of the room at a gateway before has arrived: somebody new there types behind it. */
async function allIsTold(gateway: TestGateway, roomId: string, ...clients: Client[]): Promise<void> {
  markers += 1;
  const marker = await connect({ after: () => {} }, gateway, `marker${markers}`);
  await callOk(gateway, 'roomJoinPost', { token: await token(marker.userId), params: { id: roomId } });
  await marker.ok('typing:start', { roomId });
  for (const client of clients) await client.waitFor('typing:start', ({ user }) => user.id === marker.userId);
  await marker.ok('typing:stop', { roomId });
  for (const client of clients) await client.waitFor('typing:stop', ({ user }) => user.id === marker.userId);
  marker.close();
}

describe('typing:start and typing:stop', () => {
  test('are answered {}, and told to the others on every gateway', async (t) => {
    const cid = await connect(t, here, 'cid');
    const roomId = await roomOf(ben, cid);
    assert.deepEqual(await ana.ok('typing:start', { roomId }), {});
    for (const client of [ben, cid]) {
      const event = await client.waitFor('typing:start', (one) => one.roomId === roomId);
      assert.deepEqual(event, { roomId, user: { id: 'ana', name: 'Ana' } });
    }
    assert.deepEqual(await ana.ok('typing:stop', { roomId }), {});
    for (const client of [ben, cid]) {
      const event = await client.waitFor('typing:stop', (one) => one.roomId === roomId);
      assert.deepEqual(event, { roomId, user: { id: 'ana', name: 'Ana' } });
    }
  });

  test('are not told to the user’s own devices, nor to members who do not hear the room', async (t) => {
    const devices = [await connect(t, here, 'ana'), await connect(t, there, 'ana')];
    const deaf = await connect(t, there, 'cid');
    const roomId = await roomOf(ben, deaf, ...devices);
    await deaf.ok('room:leave', { roomId });
    await ana.ok('typing:start', { roomId });
    await ana.ok('typing:stop', { roomId });
    await isTold(ben, roomId, ['+ana', '-ana']);
    await allIsTold(here, roomId, ben, ...devices);
    for (const client of [ana, deaf, ...devices]) assert.deepEqual(told(client, roomId), []);
  });

  test('are of one room', async (t) => {
    const cid = await connect(t, there, 'cid');
    const [roomId, otherId] = [await roomOf(ben, cid), await roomOf(cid)];
    await ana.ok('typing:start', { roomId: otherId });
    await ana.ok('typing:start', { roomId });
    await ana.ok('typing:stop', { roomId });
    await isTold(cid, roomId, ['+ana', '-ana']);
    await isTold(cid, otherId, ['+ana']);
    assert.deepEqual(told(ben, otherId), []);
    await ana.ok('typing:stop', { roomId: otherId });
  });

  test('are for members, who need not hear the room', async (t) => {
    const cid = await connect(t, here, 'cid');
    const roomId = await roomOf(ben);
    const { room: hidden } = await ana.ok('room:create', { name: randomUUID(), kind: 'private' });
    for (const event of ['typing:start', 'typing:stop']) {
      await cid.refused(event, { roomId }, 'NOT_A_MEMBER');
      await cid.refused(event, { roomId: hidden.id }, 'NOT_FOUND');
      await cid.refused(event, { roomId: randomUUID() }, 'NOT_FOUND');
      await cid.refused(event, { roomId: 'lobby' }, 'VALIDATION_ERROR');
    }
    await callOk(there, 'roomJoinPost', { token: await token('cid'), params: { id: roomId } });
    await cid.ok('typing:start', { roomId });
    await cid.ok('typing:stop', { roomId });
    await isTold(ben, roomId, ['+cid', '-cid']);
  });

  test('tell what changes, and nothing twice', async () => {
    const roomId = await roomOf(ben);
    for (let time = 0; time < 3; time += 1) await ana.ok('typing:start', { roomId });
    for (let time = 0; time < 3; time += 1) await ana.ok('typing:stop', { roomId });
    await allIsTold(here, roomId, ben);
    assert.deepEqual(told(ben, roomId), ['+ana', '-ana']);
  });

  test('of several devices are shown as one user, who stops with the last', async (t) => {
    const [near, far] = [await connect(t, here, 'ana'), await connect(t, there, 'ana')];
    const roomId = await roomOf(ben, near, far);
    for (const device of [ana, near, far]) await device.ok('typing:start', { roomId });
    await ana.ok('typing:stop', { roomId });
    await allIsTold(here, roomId, ben);
    await near.ok('typing:stop', { roomId });
    await allIsTold(here, roomId, ben);
    assert.deepEqual(told(ben, roomId), ['+ana']);
    await far.ok('typing:stop', { roomId });
    await isTold(ben, roomId, ['+ana', '-ana']);
  });

  test('of two devices at one gateway are shown as one user, too', async (t) => {
    const device = await connect(t, here, 'ana');
    const roomId = await roomOf(ben, device);
    for (const one of [ana, device]) await one.ok('typing:start', { roomId });
    await ana.ok('typing:stop', { roomId });
    await allIsTold(here, roomId, ben);
    assert.deepEqual(told(ben, roomId), ['+ana']);
    await device.ok('typing:stop', { roomId });
    await isTold(ben, roomId, ['+ana', '-ana']);
  });

  test('keep their order: a stop right behind its start leaves no ghost', async (t) => {
    const crowd = await Promise.all(
      Array.from({ length: 10 }, (_, index) => connect(t, index % 2 === 0 ? here : there, `fast${index}`)),
    );
    const roomId = await roomOf(ben, ...crowd);
    await Promise.all(
      crowd.flatMap((one) =>
        Array.from({ length: 5 }, () => [one.ok('typing:start', { roomId }), one.ok('typing:stop', { roomId })]).flat(),
      ),
    );
    for (const gateway of [here, there]) await allIsTold(gateway, roomId, ben, ana);
    for (const listener of [ana, ben]) {
      for (const { userId } of crowd) {
        const ofUser = told(listener, roomId).filter((one) => one.slice(1) === userId);
        assert.ok(ofUser.length === 0 || ofUser.at(-1) === `-${userId}`, `${listener.userId} saw ${ofUser.join(' ')}`);
      }
    }
  });
});

describe('typing stops by itself', () => {
  test('when its user sends, right behind the message', async (t) => {
    const cid = await connect(t, here, 'cid');
    const roomId = await roomOf(ben, cid);
    await ana.ok('typing:start', { roomId });
    for (const client of [ben, cid]) await client.waitFor('typing:start', (one) => one.roomId === roomId);
    await ana.send(roomId, 'done');
    for (const client of [ben, cid]) {
      await isTold(client, roomId, ['+ana', '-ana']);
      const events = client.heard.filter(({ payload }) => (payload as { roomId?: string }).roomId === roomId);
      const order = events.map(({ event }) => event).filter((event) => /^(typing|message)/.test(event));
      assert.deepEqual(order, ['typing:start', 'message:new', 'typing:stop']);
    }
  });

  test('when its user sends over REST, at another gateway', async () => {
    const roomId = await roomOf(ben);
    await ana.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+ana']);
    const body = { content: 'by REST', clientMsgId: 'c1' };
    await callOk(there, 'roomMessagesPost', { token: await token('ana'), params: { id: roomId }, body, status: 201 });
    await isTold(ben, roomId, ['+ana', '-ana']);
    await ana.ok('typing:stop', { roomId });
    await ana.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+ana', '-ana', '+ana']);
    await ana.ok('typing:stop', { roomId });
  });

  test('on all devices of the user, when one sends', async (t) => {
    const device = await connect(t, there, 'ana');
    const roomId = await roomOf(ben, device);
    for (const one of [ana, device]) await one.ok('typing:start', { roomId });
    await device.send(roomId, 'done');
    await isTold(ben, roomId, ['+ana', '-ana']);
  });

  test('when the message follows without waiting', async () => {
    const roomId = await roomOf(ben);
    for (let time = 0; time < 10; time += 1) {
      await Promise.all([ana.ok('typing:start', { roomId }), ana.send(roomId, `m${time}`)]);
    }
    await allIsTold(here, roomId, ben);
    assert.notEqual(told(ben, roomId).at(-1), '+ana');
  });

  test('when the message overtakes the start, which is still being decided', async (t) => {
    const redisUrl = gateways.environment['REDIS_URL'] as string;
    const door = await openDoor(t, Number(new URL(redisUrl).port));
    const gateway = await gateways.start({ REDIS_URL: behind(redisUrl, door), RATE_TYPING: '100/1s' });
    const [cid, dan, eve] = await Promise.all(['cid', 'dan', 'eve'].map((name) => connect(t, gateway, name)));
    assert.ok(cid && dan && eve);
    const { room } = await cid.ok('room:create', { name: randomUUID() });
    for (const one of [dan, eve]) await one.ok('room:join', { roomId: room.id });
    door.hold();
    const start = cid.ok('typing:start', { roomId: room.id });
    await cid.send(room.id, 'faster');
    await dan.waitFor('message:new');
    door.release();
    await start;
    await eve.ok('typing:start', { roomId: room.id });
    await isTold(dan, room.id, ['+eve']);
  });

  test('and not when somebody else sends', async () => {
    const roomId = await roomOf(ben);
    await ana.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+ana']);
    await ben.send(roomId, 'go on');
    await ana.waitFor('message:new', ({ content }) => content === 'go on');
    await allIsTold(here, roomId, ben);
    assert.deepEqual(told(ben, roomId), ['+ana']);
    await ana.ok('typing:stop', { roomId });
  });

  test('when the socket leaves the room', async (t) => {
    const cid = await connect(t, here, 'cid');
    const roomId = await roomOf(ben, cid);
    await cid.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+cid']);
    await cid.ok('room:leave', { roomId });
    await isTold(ben, roomId, ['+cid', '-cid']);
    assert.deepEqual(told(cid, roomId), []);
  });

  test('when its user is removed from the room, who is told nothing more of it', async (t) => {
    const [cid, device] = [await connect(t, here, 'cid'), await connect(t, there, 'cid')];
    const roomId = await roomOf(ben, cid, device);
    for (const one of [cid, device]) await one.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+cid']);
    await ana.ok('member:remove', { roomId, userId: 'cid' });
    await isTold(ben, roomId, ['+cid', '-cid']);
    for (const one of [ana, ben]) await one.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+cid', '-cid', '+ana']);
    const otherId = await roomOf(cid, device);
    for (const gateway of [here, there]) await allIsTold(gateway, otherId, cid, device);
    for (const one of [cid, device]) assert.deepEqual(told(one, roomId), []);
    for (const one of [ana, ben]) await one.ok('typing:stop', { roomId });
  });

  test('when the socket is gone, in all its rooms, unless another device types', async (t) => {
    const [cid, device] = [await connect(t, here, 'cid'), await connect(t, there, 'cid')];
    const [roomId, otherId] = [await roomOf(ben, cid, device), await roomOf(ben, cid)];
    await cid.ok('typing:start', { roomId: otherId });
    for (const one of [cid, device]) await one.ok('typing:start', { roomId });
    cid.close();
    await isTold(ben, otherId, ['+cid', '-cid']);
    assert.deepEqual(told(ben, roomId), ['+cid']);
    device.close();
    await isTold(ben, roomId, ['+cid', '-cid']);
  });
});

describe('who comes later sees who types', () => {
  test('by room:join and rooms:sync, on every gateway, also on one where nobody heard the room', async (t) => {
    const fresh = await gateways.start();
    const roomId = await roomOf(ben);
    for (const one of [ana, ben]) await one.ok('typing:start', { roomId });
    await isTold(ana, roomId, ['+ben']);
    for (const [index, gateway] of [here, there, fresh, fresh].entries()) {
      const late = await connect(t, gateway, `late${index}`);
      if (index % 2 === 0) await late.ok('room:join', { roomId });
      else {
        await callOk(gateway, 'roomJoinPost', { token: await token(late.userId), params: { id: roomId } });
        await late.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
      }
      await eventually(() => assert.deepEqual(told(late, roomId).toSorted(), ['+ana', '+ben']));
      const start = late.all('typing:start').find(({ user }) => user.id === 'ana');
      assert.deepEqual(start, { roomId, user: { id: 'ana', name: 'Ana' } });
    }
    const device = await connect(t, fresh, 'ana');
    await device.ok('room:join', { roomId });
    await isTold(device, roomId, ['+ben']);
    for (const one of [ana, ben]) await one.ok('typing:stop', { roomId });
    await isTold(device, roomId, ['+ben', '-ben']);
  });

  test('but not who has stopped', async (t) => {
    const fresh = await gateways.start();
    const roomId = await roomOf(ben);
    for (const one of [ana, ben]) await one.ok('typing:start', { roomId });
    await ana.ok('typing:stop', { roomId });
    await ben.send(roomId, 'done');
    for (const gateway of [here, there, fresh]) {
      const late = await connect(t, gateway, 'late');
      await late.ok('room:join', { roomId });
      await allIsTold(gateway, roomId, late);
      assert.deepEqual(told(late, roomId), []);
      late.close();
    }
  });

  test('as it is now, at a gateway where nobody has heard the room for a while', async (t) => {
    const fresh = await gateways.start();
    const roomId = await roomOf(ben);
    await ana.ok('typing:start', { roomId });
    const late = await connect(t, fresh, 'late');
    await late.ok('room:join', { roomId });
    await isTold(late, roomId, ['+ana']);
    await late.ok('room:leave', { roomId });
    await ana.ok('typing:stop', { roomId });
    await ben.ok('typing:start', { roomId });
    await isTold(ana, roomId, ['+ben']);
    await late.ok('room:join', { roomId });
    await isTold(late, roomId, ['+ana', '+ben']);
    await allIsTold(fresh, roomId, late);
    assert.deepEqual(told(late, roomId), ['+ana', '+ben']);
    await ben.ok('typing:stop', { roomId });
  });

  test('and goes on being told while a sync is under way', async (t) => {
    const roomId = await roomOf(ben);
    await ana.send(roomId, 'one');
    const { pool } = lookInto(t, gateways.databaseUrl);
    await pool.query('begin'); // of its one connection
    await pool.query('lock table messages in access exclusive mode');
    const sync = ben.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
    await eventually(async () => {
      const { rowCount } = await pool.query('select from pg_locks where not granted');
      assert.ok(rowCount, 'the sync does not wait for its page yet');
    });
    await ana.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+ana']);
    await ana.ok('typing:stop', { roomId });
    await isTold(ben, roomId, ['+ana', '-ana']);
    await pool.query('commit');
    await sync;
  });

  test('also one who does not hear the room, and types where nobody hears it', async (t) => {
    const { room } = await ben.ok('room:create', { name: randomUUID() });
    const roomId = room.id;
    const cid = await connect(t, here, 'cid');
    await callOk(here, 'roomJoinPost', { token: await token('cid'), params: { id: roomId } });
    await cid.ok('typing:start', { roomId });
    await isTold(ben, roomId, ['+cid']);
    const late = await connect(t, here, 'late');
    await late.ok('room:join', { roomId });
    await isTold(late, roomId, ['+cid']);
    cid.close();
    for (const client of [ben, late]) await isTold(client, roomId, ['+cid', '-cid']);
  });
});

describe('RATE_TYPING', async () => {
  const limited = await startGateways({ after }, 2, { TYPING_TIMEOUT_MS: NEVER, RATE_TYPING: '1/1h' });
  const [near, far] = [gatewayAt(limited, 0), gatewayAt(limited, 1)];

  test('over it a start is answered {} and not passed on; of one user in one room, over all gateways', async (t) => {
    const [cid, dan] = [await connect(t, near, 'cid'), await connect(t, far, 'dan')];
    const device = await connect(t, far, 'cid');
    const { room } = await cid.ok('room:create', { name: randomUUID() });
    const roomId = room.id;
    for (const one of [dan, device]) await one.ok('room:join', { roomId });
    await cid.ok('typing:start', { roomId });
    await cid.ok('typing:stop', { roomId });
    for (const one of [cid, device]) assert.deepEqual(await one.ok('typing:start', { roomId }), {});
    for (const gateway of [near, far]) await allIsTold(gateway, roomId, dan);
    assert.deepEqual(told(dan, roomId), ['+cid', '-cid']);
    const { room: other } = await dan.ok('room:create', { name: randomUUID() });
    await cid.ok('room:join', { roomId: other.id });
    await cid.ok('typing:start', { roomId: other.id });
    await isTold(dan, other.id, ['+cid']);
  });
});

describe('the time-out', async () => {
  const short = await startGateways({ after }, 2, { TYPING_TIMEOUT_MS: '200' });
  const [near, far] = [gatewayAt(short, 0), gatewayAt(short, 1)];

  test('ends typing that is not said again, on every gateway, and leaves nothing behind', async (t) => {
    const [cid, dan, eve] = [
      await connect(t, near, 'cid'),
      await connect(t, near, 'dan'),
      await connect(t, far, 'eve'),
    ];
    const { room } = await cid.ok('room:create', { name: randomUUID() });
    for (const one of [dan, eve]) await one.ok('room:join', { roomId: room.id });
    for (const time of [1, 2]) {
      await cid.ok('typing:start', { roomId: room.id });
      for (const one of [dan, eve])
        await isTold(one, room.id, Array.from({ length: time }, () => ['+cid', '-cid']).flat());
    }
    for (const { metricsUrl } of [near, far]) {
      const { text } = await http({ url: metricsUrl }, '/metrics');
      assert.match(text, /^parley_typists 0$/m);
    }
  });

  test('ends what a killed gateway has said', async (t) => {
    const killed = await (await childGateways(t, short.environment)).start();
    const [cid, dan] = [await connect(t, killed, 'cid'), await connect(t, near, 'dan')];
    const { room } = await dan.ok('room:create', { name: randomUUID() });
    await cid.ok('room:join', { roomId: room.id });
    await cid.ok('typing:start', { roomId: room.id });
    await dan.waitFor('typing:start');
    killed.process.kill('SIGKILL');
    await isTold(dan, room.id, ['+cid', '-cid']);
  });
});

describe('with a store away', () => {
  test('PostgreSQL: typing goes on, since nothing of it is stored', async (t) => {
    const door = await openDoor(t, Number(new URL(gateways.databaseUrl).port));
    const gateway = await gateways.start({ DATABASE_URL: behind(gateways.databaseUrl, door) });
    const [cid, dan] = [await connect(t, gateway, 'cid'), await connect(t, gateway, 'dan')];
    const { room } = await cid.ok('room:create', { name: randomUUID() });
    await dan.ok('room:join', { roomId: room.id });
    door.leadTo(undefined);
    door.cut();
    await cid.ok('typing:start', { roomId: room.id });
    await cid.ok('typing:stop', { roomId: room.id });
    await isTold(dan, room.id, ['+cid', '-cid']);
  });

  test('Redis: the sockets of one gateway still see each other type', async (t) => {
    const redisUrl = gateways.environment['REDIS_URL'] as string;
    const door = await openDoor(t, Number(new URL(redisUrl).port));
    const gateway = await gateways.start({ REDIS_URL: behind(redisUrl, door), RATE_TYPING: '100/1s' });
    const [cid, dan] = [await connect(t, gateway, 'cid'), await connect(t, gateway, 'dan')];
    const { room } = await cid.ok('room:create', { name: randomUUID() });
    await dan.ok('room:join', { roomId: room.id });
    door.leadTo(undefined);
    door.cut();
    await cid.ok('typing:start', { roomId: room.id });
    await isTold(dan, room.id, ['+cid']);
    const late = await connect(t, gateway, 'late');
    await late.ok('room:join', { roomId: room.id });
    await isTold(late, room.id, ['+cid']);
    await cid.ok('typing:stop', { roomId: room.id });
    for (const one of [dan, late]) await isTold(one, room.id, ['+cid', '-cid']);
    door.leadTo(Number(new URL(redisUrl).port));
  });
});
