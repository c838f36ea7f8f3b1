import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';

// Contract, sections 4 and 7: rooms:sync (guarantee 5), and the way from a page to the stream (guarantee 2).

const gateways = await startGateways({ after }, 2, { CATCHUP_MAX: '5' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana');

async function roomWith(messages: number, kind: 'public' | 'private' = 'public'): Promise<string> {
  const { room } = await ana.ok('room:create', { name: randomUUID(), kind });
  for (let seq = 1; seq <= messages; seq += 1) await ana.send(room.id, `m${seq}`);
  return room.id;
}

/** The one entry of a sync of one room. */
async function sync(client: Client, roomId: string, seq: number, rev?: number) {
  const { rooms } = await client.ok('rooms:sync', { rooms: [{ roomId, seq, ...(rev !== undefined && { rev }) }] });
  const [entry] = rooms;
  assert.ok(entry?.ok, JSON.stringify(entry));
  return entry;
}

describe('rooms:sync', () => {
  test('brings exactly what was missed, and goes on from there', async (t) => {
    const roomId = await roomWith(3);
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
    ben.socket.disconnect();
    for (const content of ['m4', 'm5']) await ana.send(roomId, content);
    const back = await connect(t, here, 'ben');
    const entry = await sync(back, roomId, 3);
    assert.deepEqual(
      entry.messages.map(({ seq, content }) => [seq, content]),
      [
        [4, 'm4'],
        [5, 'm5'],
      ],
    );
    assert.deepEqual([entry.truncated, entry.room.headSeq, entry.changed], [false, 5, undefined]);
    await ana.send(roomId, 'm6');
    assert.equal((await back.waitFor('message:new')).seq, 6);
  });

  test('brings the changes to what one has, in their latest state', async (t) => {
    const roomId = await roomWith(3);
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
    await ana.ok('message:edit', { roomId, seq: 1, content: 'edited' });
    await ana.ok('message:delete', { roomId, seq: 3 });
    await ana.ok('message:edit', { roomId, seq: 1, content: 'edited twice' });
    const { changed, room } = await sync(ben, roomId, 2, 0);
    assert.deepEqual(
      changed?.map(({ seq, rev, content }) => [seq, rev, content]),
      [[1, 3, 'edited twice']],
    );
    assert.equal(room.headRev, 3);
    assert.deepEqual(
      (await sync(ben, roomId, 3, 0)).changed?.map(({ seq, rev }) => [seq, rev]),
      [
        [3, 2],
        [1, 3],
      ],
      'by ascending rev, not seq',
    );
    assert.deepEqual((await sync(ben, roomId, 3, 2)).changed?.length, 1);
    assert.deepEqual((await sync(ben, roomId, 3, 3)).changed, []);
  });

  test('too much is truncated: the newest page of messages, and none of the changes', async (t) => {
    const roomId = await roomWith(8);
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
    const far = await sync(ben, roomId, 0);
    assert.deepEqual([far.truncated, far.messages.length], [true, 8]);
    for (let seq = 1; seq <= 6; seq += 1) await ana.ok('message:react', { roomId, seq, emoji: 'x', on: true });
    const changes = await sync(ben, roomId, 8, 0);
    assert.deepEqual([changes.truncated, changes.messages, changes.changed], [true, [], []]);
    assert.deepEqual((await sync(ben, roomId, 8, 1)).truncated, false);
  });

  test('a room that one may not hear disturbs no other', async (t) => {
    const [open, hidden] = [await roomWith(1), await roomWith(1, 'private')];
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId: open });
    const foreign = await roomWith(1);
    const nowhere = randomUUID();
    const { rooms } = await ben.ok('rooms:sync', {
      rooms: [hidden, open, nowhere, foreign].map((roomId) => ({ roomId, seq: 0 })),
    });
    assert.deepEqual(
      rooms.map((entry) => [entry.roomId, entry.ok ? 'ok' : entry.error.code]),
      [
        [hidden, 'NOT_FOUND'],
        [open, 'ok'],
        [nowhere, 'NOT_FOUND'],
        [foreign, 'NOT_A_MEMBER'],
      ],
    );
    for (const roomId of [hidden, foreign]) await ana.send(roomId, 'secret');
    await ana.send(open, 'marker');
    await ben.waitFor('message:new', ({ content }) => content === 'marker');
    assert.deepEqual(ben.contents(hidden).concat(ben.contents(foreign)), []);
  });

  test('two hundred rooms at once, and none', async (t) => {
    const ben = await connect(t, there, 'ben');
    const roomIds: string[] = [];
    for (let index = 0; index < 200; index += 1) {
      const { room } = await ben.ok('room:create', { name: randomUUID() });
      roomIds.push(room.id);
      await ben.send(room.id, 'hello');
    }
    const other = await connect(t, here, 'ben');
    const { rooms } = await other.ok('rooms:sync', { rooms: roomIds.map((roomId) => ({ roomId, seq: 0 })) });
    assert.ok(rooms.every((entry) => entry.ok && entry.messages.length === 1));
    assert.deepEqual(await other.ok('rooms:sync', { rooms: [] }), { rooms: [] });
    await other.refused(
      'rooms:sync',
      { rooms: [...roomIds, randomUUID()].map((roomId) => ({ roomId, seq: 0 })) },
      'VALIDATION_ERROR',
    );
  });
});

test('joins and syncs in the middle of a flood lose and repeat nothing', async (t) => {
  const roomId = await roomWith(0);
  const senders = await Promise.all([here, there].map((gateway, index) => connect(t, gateway, `sender${index}`)));
  for (const sender of senders) await sender.ok('room:join', { roomId });
  const FLOOD = 300;
  const flood = Promise.all(
    senders.map(async (sender) => {
      for (let turn = 0; turn < FLOOD / 10; turn += 1) {
        await Promise.all(Array.from({ length: 10 }, () => sender.send(roomId, 'x')));
      }
    }),
  );
  const crowd = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      connect(t, index % 2 === 0 ? here : there, `late${index}`, {
        transports: [index % 3 === 0 ? 'polling' : 'websocket'],
      }),
    ),
  );
  const from = await Promise.all(
    crowd.map(async (one, index) => {
      const { room } = await one.ok('room:join', { roomId, history: 1 });
      if (index % 4 !== 1) return room.headSeq;
      return (await sync(one, roomId, room.headSeq)).room.headSeq; // begins the stream anew
    }),
  );
  await flood;
  const last = await ana.send(roomId, 'the end');
  assert.equal(last.seq, 2 * FLOOD + 1);
  for (const [index, one] of crowd.entries()) {
    await one.waitFor('message:new', ({ seq }) => seq === last.seq);
    const seqs = one.all('message:new').map(({ seq }) => seq);
    const stream = seqs.slice(seqs.lastIndexOf((from[index] ?? 0) + 1));
    const expected = Array.from({ length: last.seq - (from[index] ?? 0) }, (_, step) => (from[index] ?? 0) + 1 + step);
    assert.deepEqual(stream, expected, `${one.userId} from ${from[index]}`);
  }
});

test('a room that has run away is said to be so: room:resync, and a sync goes on from there', async (t) => {
  const roomId = await roomWith(1);
  const [ben, deaf] = [await connect(t, there, 'ben'), await connect(t, there, 'deaf')];
  for (const one of [ben, deaf]) await one.ok('room:join', { roomId });
  await deaf.ok('room:leave', { roomId });
  // Past all gateways, and far more than a stream makes up for.
  const COUNT = 2_500;
  await lookInto(t, gateways.databaseUrl).pool.query(
    `select append_messages(
      array_fill($1::uuid, array[n]), array_fill('ana'::text, array[n]), (select array_agg('i' || i) from generate_series(1, n) i),
      (select array_agg(gen_random_uuid()) from generate_series(1, n)), array_fill('x'::text, array[n]),
      array_fill(null::bigint, array[n]), 1000) from (select $2::integer as n) as _`,
    [roomId, COUNT],
  );
  const { reason, ...cut } = await ben.waitFor('room:resync');
  assert.deepEqual(cut, { roomId, headSeq: COUNT + 1, headRev: 0 });
  assert.ok(reason.length > 0);
  assert.deepEqual(ben.contents(roomId), [], 'it was told of it, and had some of it all the same');
  const entry = await sync(ben, roomId, 1);
  assert.deepEqual([entry.truncated, entry.room.headSeq, entry.messages.at(-1)?.seq], [true, COUNT + 1, COUNT + 1]);
  await ana.send(roomId, 'next');
  assert.equal((await ben.waitFor('message:new')).seq, COUNT + 2);
  assert.deepEqual(deaf.all('room:resync'), []);
});
