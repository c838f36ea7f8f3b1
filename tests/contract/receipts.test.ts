import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 3, 4 and 5: message:read, unread, and who has read a message.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana');
const ben = await connect({ after }, there, 'ben');

/** A room of ana's with that many messages, which the others hear from its beginning. */
async function roomWith(messages: number, ...others: Client[]): Promise<string> {
  const { room } = await ana.ok('room:create', { name: randomUUID() });
  for (const other of others) await other.ok('room:join', { roomId: room.id });
  for (let seq = 1; seq <= messages; seq += 1) await ana.send(room.id, `m${seq}`);
  return room.id;
}

const readsOf = (client: Client, roomId: string) =>
  client.all('message:read').filter((reading) => reading.roomId === roomId);

/** Everybody here has been told what was read before: ben's mark in a room of its own comes behind it. */
async function allReadsAreTold(...clients: Client[]): Promise<void> {
  const roomId = await roomWith(1, ben, ...clients);
  await ben.ok('message:read', { roomId, seq: 1 });
  for (const client of clients) await client.waitFor('message:read', (reading) => reading.roomId === roomId);
}

async function meOf(client: Client, roomId: string) {
  const { rooms } = await client.ok('room:list', { scope: 'mine', limit: 100 });
  return rooms.find(({ id }) => id === roomId)?.me;
}

describe('message:read', () => {
  test('moves the mark, and answers what is unread', async () => {
    const roomId = await roomWith(5, ben);
    assert.deepEqual(await meOf(ben, roomId), { role: 'member', lastReadSeq: 0, unread: 5 });
    assert.deepEqual(await ben.ok('message:read', { roomId, seq: 3 }), { lastReadSeq: 3, unread: 2 });
    assert.deepEqual(await meOf(ben, roomId), { role: 'member', lastReadSeq: 3, unread: 2 });
  });

  test('never moves back', async () => {
    const roomId = await roomWith(5, ben);
    await ben.ok('message:read', { roomId, seq: 4 });
    for (const seq of [3, 0, 4]) {
      assert.deepEqual(await ben.ok('message:read', { roomId, seq }), { lastReadSeq: 4, unread: 1 });
    }
  });

  test('beyond the head counts as the head', async () => {
    const roomId = await roomWith(2, ben);
    const beyond = await ben.ok('message:read', { roomId, seq: Number.MAX_SAFE_INTEGER });
    assert.deepEqual(beyond, { lastReadSeq: 2, unread: 0 });
    await ana.send(roomId, 'next');
    assert.deepEqual(await meOf(ben, roomId), { role: 'member', lastReadSeq: 2, unread: 1 });
    const empty = await roomWith(0, ben);
    for (const seq of [0, 7]) {
      assert.deepEqual(await ben.ok('message:read', { roomId: empty, seq }), { lastReadSeq: 0, unread: 0 });
    }
  });

  test('from many devices at once ends at the farthest', async (t) => {
    const roomId = await roomWith(20, ben);
    const devices = await Promise.all([here, there, here].map((gateway) => connect(t, gateway, 'ben')));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (devices[index % 3] as Client).ok('message:read', { roomId, seq: 20 - index }),
      ),
    );
    for (const [index, { lastReadSeq }] of answers.entries()) assert.ok(lastReadSeq >= 20 - index);
    assert.equal((await meOf(ben, roomId))?.lastReadSeq, 20);
  });

  test('is for members, who need not hear the room', async (t) => {
    const roomId = await roomWith(2);
    const cid = await connect(t, there, 'cid');
    await cid.refused('message:read', { roomId, seq: 1 }, 'NOT_A_MEMBER');
    await cid.refused('message:read', { roomId: randomUUID(), seq: 1 }, 'NOT_FOUND');
    const { room } = await ana.ok('room:create', { name: randomUUID(), kind: 'private' });
    await cid.refused('message:read', { roomId: room.id, seq: 0 }, 'NOT_FOUND');
    await callOk(here, 'roomJoinPost', { token: await token('cid'), params: { id: roomId } });
    await ana.send(roomId, 'third');
    assert.deepEqual(await cid.ok('message:read', { roomId, seq: 3 }), { lastReadSeq: 3, unread: 0 });
    for (const seq of [-1, 1.5, '1', null]) await cid.refused('message:read', { roomId, seq }, 'VALIDATION_ERROR');
  });
});

test('a member whose row somebody holds delays only its own readings', async (t) => {
  const cid = await connect(t, there, 'cid');
  const roomId = await roomWith(3, ben, cid);
  const { db } = lookInto(t, gateways.databaseUrl);
  let ofCid: Promise<unknown> | undefined;
  await db.transaction().execute(async (trx) => {
    await trx
      .selectFrom('members')
      .where('room_id', '=', roomId)
      .where('user_id', '=', 'cid')
      .select('role')
      .forUpdate()
      .execute();
    ofCid = cid.ok('message:read', { roomId, seq: 2 });
    for (let seq = 1; seq <= 3; seq += 1) {
      assert.deepEqual(await ben.ok('message:read', { roomId, seq }), { lastReadSeq: seq, unread: 3 - seq });
    }
    assert.equal((await meOf(cid, roomId))?.lastReadSeq, 0);
  });
  assert.deepEqual(await ofCid, { lastReadSeq: 2, unread: 1 });
  assert.equal((await meOf(cid, roomId))?.lastReadSeq, 2, 'it was answered before it was done');
});

describe('the event message:read', () => {
  test('goes to the others that hear the room, and to the reader’s other devices, hearing it or not', async (t) => {
    const bens = { deaf: await connect(t, here, 'ben'), hearing: await connect(t, here, 'ben') };
    const cid = await connect(t, there, 'cid');
    const roomId = await roomWith(3, ben, bens.hearing, cid);
    await ben.ok('message:read', { roomId, seq: 2 });
    const reading = { roomId, userId: 'ben', seq: 2 };
    for (const client of [ana, cid, bens.deaf, bens.hearing]) {
      assert.deepEqual(await client.waitFor('message:read', (one) => one.roomId === roomId), reading);
    }
    await allReadsAreTold(ana, cid);
    for (const client of [ana, cid, bens.deaf, bens.hearing]) assert.deepEqual(readsOf(client, roomId), [reading]);
    assert.deepEqual(readsOf(ben, roomId), [], 'who asked has it from the answer');
  });

  test('tells of many readings only the last', async () => {
    const roomId = await roomWith(60, ben);
    await Promise.all(Array.from({ length: 60 }, (_, index) => ben.ok('message:read', { roomId, seq: index + 1 })));
    await ana.waitFor('message:read', (one) => one.roomId === roomId && one.seq === 60);
    await allReadsAreTold(ana);
    const told = readsOf(ana, roomId);
    assert.ok(told.length < 60, `${told.length} events for 60 readings`);
  });

  test('does not come for what did not move, nor for sending', async (t) => {
    const roomId = await roomWith(2, ben);
    await ben.ok('message:read', { roomId, seq: 2 });
    await ana.waitFor('message:read', (one) => one.roomId === roomId);
    for (const seq of [2, 1, 99]) await ben.ok('message:read', { roomId, seq });
    await ben.send(roomId, 'third');
    const cid = await connect(t, here, 'cid');
    await cid.ok('room:join', { roomId });
    await allReadsAreTold(ana, cid);
    assert.deepEqual(readsOf(ana, roomId), [{ roomId, userId: 'ben', seq: 2 }]);
    assert.deepEqual(readsOf(cid, roomId), []);
  });

  test('does not reach who has left, nor members who do not hear the room', async (t) => {
    const [cid, dan] = [await connect(t, there, 'cid'), await connect(t, here, 'dan')];
    const roomId = await roomWith(2, ben, cid, dan);
    for (const client of [cid, dan]) await client.ok('room:leave', { roomId });
    await ben.ok('message:read', { roomId, seq: 2 });
    await ana.waitFor('message:read', (one) => one.roomId === roomId);
    await allReadsAreTold(cid, dan);
    assert.deepEqual([readsOf(cid, roomId), readsOf(dan, roomId)], [[], []]);
  });

  test('is not told to the devices of who was removed meanwhile', async (t) => {
    const cid = await connect(t, here, 'cid');
    const devices = [await connect(t, here, 'cid'), await connect(t, there, 'cid')];
    for (let time = 0; time < 5; time += 1) {
      const roomId = await roomWith(2, ben, cid);
      await cid.ok('message:read', { roomId, seq: 2 });
      await ana.ok('member:remove', { roomId, userId: 'cid' });
      const marker = await roomWith(1, cid);
      await cid.ok('message:read', { roomId: marker, seq: 1 });
      for (const device of devices) {
        await device.waitFor('message:read', (one) => one.roomId === marker);
        const ofRoom = device.heard.filter(({ payload }) => (payload as { roomId?: string }).roomId === roomId);
        assert.equal(ofRoom.at(-1)?.event, 'room:removed');
      }
    }
  });

  test('is told to all in the end, however many read at once', async (t) => {
    const crowd = await Promise.all(
      Array.from({ length: 24 }, (_, index) => connect(t, index % 2 === 0 ? here : there, `reader${index}`)),
    );
    const roomId = await roomWith(10, ...crowd);
    for (let seq = 1; seq <= 10; seq += 1) {
      await Promise.all(crowd.map((one) => one.ok('message:read', { roomId, seq })));
    }
    for (const listener of [ana, ...crowd]) {
      for (const { userId } of crowd) {
        if (userId === listener.userId) continue;
        await listener.waitFor(
          'message:read',
          (one) => one.roomId === roomId && one.userId === userId && one.seq === 10,
        );
      }
    }
  });
});

describe('unread', () => {
  test('is headSeq - lastReadSeq in room:list, room:join, rooms:sync and over REST', async (t) => {
    const roomId = await roomWith(4, ben);
    await ben.ok('message:read', { roomId, seq: 1 });
    const me = { role: 'member', lastReadSeq: 1, unread: 3 };
    const device = await connect(t, here, 'ben');
    const { rooms } = await device.ok('rooms:sync', { rooms: [{ roomId, seq: 4 }] });
    assert.ok(rooms[0]?.ok);
    assert.deepEqual(rooms[0].room.me, me, 'hearing is not reading');
    assert.deepEqual((await device.ok('room:join', { roomId })).room.me, me);
    const bens = { token: await token('ben') };
    assert.deepEqual((await callOk(there, 'roomGet', { ...bens, params: { id: roomId } })).room.me, me);
    const listed = await callOk(there, 'roomsGet', { ...bens, query: { scope: 'mine', limit: 100 } });
    assert.deepEqual(listed.rooms.find(({ id }) => id === roomId)?.me, me);
  });

  test('a deleted message keeps its place, and counts as it did', async () => {
    const roomId = await roomWith(3, ben);
    await ana.ok('message:delete', { roomId, seq: 2 });
    assert.deepEqual(await meOf(ben, roomId), { role: 'member', lastReadSeq: 0, unread: 3 });
    assert.deepEqual(await ben.ok('message:read', { roomId, seq: 2 }), { lastReadSeq: 2, unread: 1 });
    await ana.ok('message:delete', { roomId, seq: 1 });
    assert.deepEqual(await meOf(ben, roomId), { role: 'member', lastReadSeq: 2, unread: 1 });
  });

  test('a new member starts at the head', async (t) => {
    const roomId = await roomWith(3);
    const cid = await connect(t, there, 'cid');
    const { room } = await cid.ok('room:join', { roomId });
    assert.deepEqual(room.me, { role: 'member', lastReadSeq: 3, unread: 0 });
  });
});

describe('who has read a message', () => {
  const ids = (page: { readers: { id: string }[] }) => page.readers.map(({ id }) => id);

  test('is who marked it or a later one as read, or sent a later one; not its sender', async (t) => {
    const [cid, dan] = [await connect(t, there, 'cid'), await connect(t, here, 'dan')];
    const roomId = await roomWith(3, ben, cid, dan);
    assert.deepEqual(await ana.ok('message:readers', { roomId, seq: 2 }), { readers: [] });
    await ben.ok('message:read', { roomId, seq: 2 });
    await cid.send(roomId, 'answer');
    assert.deepEqual(ids(await ana.ok('message:readers', { roomId, seq: 2 })), ['ben', 'cid']);
    assert.deepEqual(ids(await dan.ok('message:readers', { roomId, seq: 3 })), ['cid']);
    assert.deepEqual(ids(await ana.ok('message:readers', { roomId, seq: 4 })), [], 'its sender is no reader');
    const [reader] = (await ana.ok('message:readers', { roomId, seq: 2 })).readers;
    assert.deepEqual([reader?.id, reader?.name, reader?.status], ['ben', 'ben', 'online']);
  });

  test('is not who became a member later', async (t) => {
    const roomId = await roomWith(2, ben);
    const late = await connect(t, there, 'late');
    await late.ok('room:join', { roomId });
    await ben.ok('message:read', { roomId, seq: 2 });
    assert.deepEqual(ids(await ana.ok('message:readers', { roomId, seq: 2 })), ['ben']);
    await ana.send(roomId, 'third');
    await late.ok('message:read', { roomId, seq: 3 });
    assert.deepEqual(ids(await ana.ok('message:readers', { roomId, seq: 3 })), ['late']);
  });

  test('in pages, and the same over REST', async (t) => {
    const crowd = await Promise.all(Array.from({ length: 5 }, (_, index) => connect(t, here, `r${index}`)));
    const roomId = await roomWith(1, ...crowd);
    for (const one of crowd) await one.ok('message:read', { roomId, seq: 1 });
    const rest = { token: await token('ana'), params: { id: roomId, seq: '1' } };
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const at = cursor === undefined ? {} : { cursor };
      const page = await ana.ok('message:readers', { roomId, seq: 1, limit: 2, ...at });
      assert.deepEqual(await callOk(there, 'roomReadersGet', { ...rest, query: { limit: 2, ...at } }), page);
      seen.push(...ids(page));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, ['r0', 'r1', 'r2', 'r3', 'r4']);
  });

  test('is for members, and for messages that are there', async (t) => {
    const roomId = await roomWith(1);
    const cid = await connect(t, there, 'cid');
    await cid.refused('message:readers', { roomId, seq: 1 }, 'NOT_A_MEMBER');
    await ana.refused('message:readers', { roomId, seq: 2 }, 'NOT_FOUND');
    await ana.refused('message:readers', { roomId, seq: 1, cursor: 'x' }, 'VALIDATION_ERROR');
    const { room } = await ana.ok('room:create', { name: randomUUID(), kind: 'private' });
    await cid.refused('message:readers', { roomId: room.id, seq: 1 }, 'NOT_FOUND');
    const rest = { token: await token('ana'), params: { id: roomId, seq: '2' } };
    await callRefused(here, 'roomReadersGet', 'NOT_FOUND', rest);
    for (const seq of ['0', '-1', 'x', '1.5']) {
      await callRefused(here, 'roomReadersGet', 'VALIDATION_ERROR', { ...rest, params: { id: roomId, seq } });
    }
    await callRefused(here, 'roomReadersGet', 'NOT_A_MEMBER', {
      ...rest,
      token: await token('cid'),
      params: { id: roomId, seq: '1' },
    });
  });
});
