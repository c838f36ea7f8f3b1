import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 4: room:join and room:leave; who hears what (guarantee 6).

const gateways = await startGateways({ after }, 2, { CATCHUP_MAX: '5' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana');
const newName = () => `Room ${randomUUID()}`.slice(0, 50);

/** A room of ana's with that many messages, `m1` and so on. */
async function roomWith(messages: number, kind: 'public' | 'private' = 'public'): Promise<string> {
  const { room } = await ana.ok('room:create', { name: newName(), kind });
  for (let seq = 1; seq <= messages; seq += 1) await ana.send(room.id, `m${seq}`);
  return room.id;
}

describe('room:join', () => {
  test('makes one a member, who starts at the head and hears what comes', async (t) => {
    const roomId = await roomWith(3);
    const ben = await connect(t, there, 'ben');
    const joined = await ben.ok('room:join', { roomId });
    assert.deepEqual(joined.room.me, { role: 'member', lastReadSeq: 3, unread: 0 });
    assert.equal(joined.room.headSeq, 3);
    assert.equal(joined.room.memberCount, 2);
    assert.deepEqual(
      joined.messages.map(({ seq, content }) => [seq, content]),
      [
        [1, 'm1'],
        [2, 'm2'],
        [3, 'm3'],
      ],
    );
    assert.equal(joined.truncated, false);
    assert.ok(!('changed' in joined));
    assert.deepEqual(joined.members.map(({ id, role }) => `${id} ${role}`).toSorted(), ['ana owner', 'ben member']);
    assert.equal(joined.online, joined.room.onlineCount);

    const sent = await ana.send(roomId, 'm4');
    assert.deepEqual(await ben.waitFor('message:new'), sent);
    const { rooms } = await ben.ok('room:list', { scope: 'mine' });
    assert.deepEqual(rooms.find(({ id }) => id === roomId)?.me, { role: 'member', lastReadSeq: 3, unread: 1 });
  });

  test('history says how many of the newest messages come', async (t) => {
    const roomId = await roomWith(4);
    const ben = await connect(t, there, 'ben');
    for (const [history, seqs, truncated] of [
      [0, [], true],
      [2, [3, 4], true],
      [4, [1, 2, 3, 4], false],
      [100, [1, 2, 3, 4], false],
    ] as const) {
      const joined = await ben.ok('room:join', { roomId, history });
      assert.deepEqual(
        joined.messages.map(({ seq }) => seq),
        seqs,
      );
      assert.equal(joined.truncated, truncated, `history ${history}`);
      assert.equal(joined.room.headSeq, 4);
    }
    const empty = await ben.ok('room:join', { roomId: await roomWith(0), history: 0 });
    assert.deepEqual([empty.messages, empty.truncated], [[], false]);
    for (const history of [-1, 101, 1.5, '5', null]) {
      await ben.refused('room:join', { roomId, history }, 'VALIDATION_ERROR');
    }
  });

  test('with a cursor it brings what came after, or the newest page beyond CATCHUP_MAX', async (t) => {
    const roomId = await roomWith(8);
    const ben = await connect(t, there, 'ben');
    const join = async (cursor: { seq: number; rev?: number }) => {
      const { messages, truncated, changed } = await ben.ok('room:join', { roomId, cursor });
      return { seqs: messages.map(({ seq }) => seq), truncated, changed };
    };
    assert.deepEqual(await join({ seq: 8 }), { seqs: [], truncated: false, changed: undefined });
    assert.deepEqual(await join({ seq: 6 }), { seqs: [7, 8], truncated: false, changed: undefined });
    assert.deepEqual(await join({ seq: 3, rev: 0 }), { seqs: [4, 5, 6, 7, 8], truncated: false, changed: [] });
    assert.deepEqual(await join({ seq: 2 }), {
      seqs: [1, 2, 3, 4, 5, 6, 7, 8],
      truncated: true,
      changed: undefined,
    });
    assert.deepEqual(await join({ seq: 1_000_000 }), { seqs: [], truncated: false, changed: undefined });
  });

  test('by name in any case, and create makes the room once, however many ask', async (t) => {
    const name = newName();
    const ben = await connect(t, there, 'ben');
    await ben.refused('room:join', { name }, 'NOT_FOUND');
    await ben.refused('room:join', { name, create: false }, 'NOT_FOUND');
    const crowd = await Promise.all(
      Array.from({ length: 8 }, (_, index) => connect(t, index % 2 === 0 ? here : there, `crowd${index}`)),
    );
    const joins = await Promise.all(
      crowd.map((client, index) =>
        client.ok('room:join', { name: index % 2 === 0 ? name : name.toUpperCase(), create: true }),
      ),
    );
    assert.equal(new Set(joins.map(({ room }) => room.id)).size, 1);
    const again = await ben.ok('room:join', { name: ` ${name.toLowerCase()} ` });
    assert.equal(again.room.memberCount, 9);
    const { members } = again;
    assert.equal(members.filter(({ role }) => role === 'owner').length, 1);
  });

  test('brings the first page of the members, and where the next one begins', async (t) => {
    const roomId = await roomWith(0);
    const names = Array.from({ length: 50 }, (_, index) => `p${String(index).padStart(2, '0')}`);
    for (const name of names) {
      await callOk(here, 'roomJoinPost', { token: await token(name), params: { id: roomId }, body: { history: 0 } });
    }
    const late = await connect(t, there, 'zoe');
    const { members, nextCursor, online, room } = await late.ok('room:join', { roomId });
    assert.deepEqual([members.length, room.memberCount, online], [50, 52, 2]);
    const first = await late.ok('room:members', { roomId });
    assert.deepEqual(first, { members, nextCursor, online });
    const rest = await late.ok('room:members', { roomId, cursor: nextCursor ?? '' });
    assert.deepEqual(
      [...members, ...rest.members].map(({ id }) => id),
      ['ana', ...names, 'zoe'],
    );
    assert.equal(rest.nextCursor, undefined);
  });

  test('needs either roomId or name', async () => {
    const roomId = await roomWith(0);
    for (const payload of [{}, { roomId, name: 'Both' }, { create: true }]) {
      await ana.refused('room:join', payload, 'VALIDATION_ERROR');
    }
  });

  test('twice is no error, and nothing is heard twice', async (t) => {
    const roomId = await roomWith(0);
    const ben = await connect(t, there, 'ben');
    for (let time = 0; time < 3; time += 1) {
      const { room } = await ben.ok('room:join', { roomId });
      assert.equal(room.memberCount, 2);
    }
    await ana.send(roomId, 'one');
    await ana.send(roomId, 'two');
    await ben.waitFor('message:new', ({ content }) => content === 'two');
    assert.deepEqual(ben.contents(roomId), ['one', 'two']);
  });

  test('at once from many sockets of one user makes one membership', async (t) => {
    const roomId = await roomWith(0);
    const devices = await Promise.all([here, there, here, there].map((gateway) => connect(t, gateway, 'many')));
    const joins = devices.map((device) => device.ok('room:join', { roomId }));
    const posts = [here, there].map(async (gateway) =>
      callOk(gateway, 'roomJoinPost', { token: await token('many'), params: { id: roomId }, body: {} }),
    );
    await Promise.all([...joins, ...posts]);
    const { room, members } = await ana.ok('room:join', { roomId });
    assert.deepEqual([room.memberCount, members.length], [2, 2]);
  });

  test('over REST: a member that hears nothing, and the same answer', async (t) => {
    const roomId = await roomWith(2);
    const bens = await token('ben');
    const joined = await callOk(there, 'roomJoinPost', { token: bens, params: { id: roomId }, body: { history: 1 } });
    assert.deepEqual(joined.room.me, { role: 'member', lastReadSeq: 2, unread: 0 });
    assert.deepEqual(
      joined.messages.map(({ seq }) => seq),
      [2],
    );
    const bare = await callOk(here, 'roomJoinPost', { token: bens, params: { id: roomId } });
    assert.deepEqual(bare.messages.length, 2);
    const ben = await connect(t, there, 'ben');
    const { messages } = await ben.ok('room:join', { roomId, history: 1 });
    assert.deepEqual(messages, joined.messages);
  });
});

describe('who hears a message', () => {
  test('every socket that hears the room, on both gateways, the sender’s other devices too', async (t) => {
    const roomId = await roomWith(0);
    const listeners = await Promise.all([
      connect(t, here, 'ben'),
      connect(t, there, 'ben'),
      connect(t, there, 'ana'),
      connect(t, here, 'ana'),
    ]);
    for (const listener of listeners) await listener.ok('room:join', { roomId });
    const sent = await ana.send(roomId, 'hello');
    for (const listener of listeners) assert.deepEqual(await listener.waitFor('message:new'), sent);
    // The marker comes after whatever the sending socket might have heard of its own.
    await listeners[0]?.send(roomId, 'marker');
    await ana.waitFor('message:new', (message) => message.roomId === roomId && message.content === 'marker');
    assert.deepEqual(ana.contents(roomId), ['marker']);
  });

  test('a message sent over REST is heard by all sockets, the sender’s too', async (t) => {
    const roomId = await roomWith(0);
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
    const body = { content: 'by REST', clientMsgId: 'r1' };
    const { message } = await callOk(there, 'roomMessagesPost', {
      token: await token('ana'),
      params: { id: roomId },
      body,
      status: 201,
    });
    assert.deepEqual(await ben.waitFor('message:new'), message);
    assert.deepEqual(await ana.waitFor('message:new', ({ id }) => id === message.id), message);
  });

  test('a duplicate is heard by nobody', async (t) => {
    const roomId = await roomWith(0);
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
    const clientMsgId = 'once';
    for (let time = 0; time < 3; time += 1) await ana.send(roomId, 'one', { clientMsgId });
    await ana.send(roomId, 'marker');
    await ben.waitFor('message:new', ({ content }) => content === 'marker');
    assert.deepEqual(ben.contents(roomId), ['one', 'marker']);
  });

  test('nobody else: members who do not hear it, and those of other rooms', async (t) => {
    const [roomId, otherId] = [await roomWith(0), await roomWith(0)];
    const outsider = await connect(t, there, 'outsider');
    await outsider.ok('room:join', { roomId: otherId });
    await callOk(there, 'roomJoinPost', { token: await token('outsider'), params: { id: roomId }, body: {} });
    const witness = await connect(t, there, 'witness');
    await witness.ok('room:join', { roomId });
    await ana.send(roomId, 'secret');
    await witness.waitFor('message:new', ({ content }) => content === 'secret');
    await ana.send(otherId, 'marker');
    await outsider.waitFor('message:new', ({ content }) => content === 'marker');
    assert.deepEqual(outsider.contents(roomId), []);
  });
});

describe('room:leave', () => {
  test('after its ack the socket hears nothing more; others do, and the membership stays', async (t) => {
    const roomId = await roomWith(0);
    const [leaver, device] = [await connect(t, there, 'ben'), await connect(t, there, 'ben')];
    for (const client of [leaver, device]) await client.ok('room:join', { roomId });
    await ana.send(roomId, 'before');
    await leaver.waitFor('message:new');
    assert.deepEqual(await leaver.ok('room:leave', { roomId }), {});
    await ana.send(roomId, 'between');
    await device.waitFor('message:new', ({ content }) => content === 'between');
    await leaver.send(roomId, 'still a member');
    const back = await leaver.ok('room:join', { roomId });
    assert.equal(back.room.memberCount, 2);
    await ana.send(roomId, 'after');
    await leaver.waitFor('message:new', ({ content }) => content === 'after');
    assert.deepEqual(leaver.contents(roomId), ['before', 'after']);
  });

  test('leaving what one does not hear is no error, also without being a member', async (t) => {
    const roomId = await roomWith(0);
    const ben = await connect(t, there, 'ben');
    assert.deepEqual(await ben.ok('room:leave', { roomId }), {});
    await ben.ok('room:join', { roomId });
    for (let time = 0; time < 2; time += 1) assert.deepEqual(await ben.ok('room:leave', { roomId }), {});
  });

  test('one socket hears many rooms, and leaving one leaves the others', async (t) => {
    const [first, second, third] = await Promise.all([roomWith(0), roomWith(0), roomWith(0)]);
    const ben = await connect(t, there, 'ben');
    for (const roomId of [first, second, third]) await ben.ok('room:join', { roomId });
    await ben.ok('room:leave', { roomId: second });
    for (const roomId of [second, first, third]) await ana.send(roomId, 'hello');
    await ben.waitFor('message:new', ({ roomId }) => roomId === third);
    await ben.waitFor('message:new', ({ roomId }) => roomId === first);
    assert.deepEqual(ben.contents(second), []);
  });
});
