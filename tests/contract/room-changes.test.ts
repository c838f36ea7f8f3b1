import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 6: PATCH /rooms/:id, and section 5: room:updated.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const owner = await connect({ after }, here, 'owner');
const owners = await token('owner');
let names = 0;

async function newRoom(kind: 'public' | 'private' = 'public', topic = ''): Promise<string> {
  return (await owner.ok('room:create', { name: `Change ${(names += 1)}`, kind, topic })).room.id;
}

const patch = (roomId: string, body: object, by = owners) => ({ token: by, params: { id: roomId }, body });

describe('PATCH /rooms/:id', () => {
  test('changes name and topic; all sockets that hear the room are told, without me', async (t) => {
    const roomId = await newRoom('public', 'Old');
    const listeners = [await connect(t, here, 'ben'), await connect(t, there, 'cat')];
    for (const listener of listeners) await listener.ok('room:join', { roomId });
    const deaf = await connect(t, there, 'ben');
    const { room } = await callOk(there, 'roomPatch', patch(roomId, { name: '  New name ', topic: 'New' }));
    assert.deepEqual([room.name, room.topic, room.me?.role], ['New name', 'New', 'owner']);
    const { me: _mine, ...withoutMe } = room;
    for (const listener of [...listeners, owner]) {
      const updated = await listener.waitFor('room:updated', (event) => event.room.id === roomId);
      assert.deepEqual(updated.room, withoutMe);
    }
    assert.deepEqual((await callOk(here, 'roomGet', { token: owners, params: { id: roomId } })).room, room);
    await deaf.ok('room:join', { roomId });
    assert.deepEqual(deaf.all('room:updated'), []);
  });

  test('an empty topic removes it', async () => {
    const roomId = await newRoom('public', 'Old');
    const { room } = await callOk(here, 'roomPatch', patch(roomId, { topic: '' }));
    assert.ok(!('topic' in room));
  });

  test('what is so already changes nothing and tells nobody', async (t) => {
    const roomId = await newRoom('public', 'Same');
    const ben = await connect(t, there, 'ben');
    const { room } = await ben.ok('room:join', { roomId });
    for (const body of [{}, { name: room.name, topic: 'Same', membersCanInvite: false }]) {
      await callOk(here, 'roomPatch', patch(roomId, body));
    }
    await callOk(here, 'roomPatch', patch(roomId, { topic: 'Marker' }));
    await ben.waitFor('room:updated', (event) => event.room.topic === 'Marker');
    assert.equal(ben.all('room:updated').length, 1);
  });

  test('a name of another public room is CONFLICT, also when two take it at once; its own in another case is none', async () => {
    const [first, second] = [await newRoom(), await newRoom()];
    const { room } = await callOk(here, 'roomGet', { token: owners, params: { id: first } });
    await callRefused(there, 'roomPatch', 'CONFLICT', patch(second, { name: room.name.toUpperCase() }));
    await callOk(there, 'roomPatch', patch(first, { name: room.name.toUpperCase() }));
    const race = await Promise.allSettled([
      callOk(here, 'roomPatch', patch(first, { name: 'The one' })),
      callOk(there, 'roomPatch', patch(second, { name: 'THE ONE' })),
    ]);
    assert.equal(race.filter(({ status }) => status === 'fulfilled').length, 1);
    const hidden = await newRoom('private');
    await callOk(there, 'roomPatch', patch(hidden, { name: 'the one' }));
  });

  test('only owners may', async (t) => {
    const roomId = await newRoom();
    const ben = await connect(t, there, 'ben');
    await ben.ok('room:join', { roomId });
    const bens = await token('ben');
    await callRefused(there, 'roomPatch', 'FORBIDDEN', patch(roomId, { topic: 'x' }, bens));
    await owner.ok('member:role', { roomId, userId: 'ben', role: 'moderator' });
    await callRefused(there, 'roomPatch', 'FORBIDDEN', patch(roomId, {}, bens));
    await owner.ok('member:role', { roomId, userId: 'ben', role: 'owner' });
    await callOk(there, 'roomPatch', patch(roomId, { topic: 'x' }, bens));
  });

  test('not direct rooms', async (t) => {
    await connect(t, there, 'ben');
    const { room } = await owner.ok('direct:open', { userId: 'ben' });
    await callRefused(here, 'roomPatch', 'FORBIDDEN', patch(room.id, { name: 'Ours' }));
  });

  test('bad values are VALIDATION_ERROR', async () => {
    const roomId = await newRoom();
    for (const body of [{ name: '' }, { name: 'a/b' }, { name: null }, { topic: 7 }, { membersCanInvite: 'yes' }]) {
      await callRefused(here, 'roomPatch', 'VALIDATION_ERROR', patch(roomId, body));
    }
  });
});
