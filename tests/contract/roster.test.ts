import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';

// Contract, section 5: room:user_joined and room:user_left.

const gateways = await startGateways({ after }, 3, { PRESENCE_GRACE_MS: '300' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;
const owner = await connect({ after }, here, 'owner');

async function newRoom(): Promise<string> {
  const { room } = await owner.ok('room:create', { name: unique('Room') });
  await owner.ok('room:leave', { roomId: room.id });
  return room.id;
}

interface Line {
  event: string;
  users: string[];
  online: number;
}

/** What a client heard of a room's roster. */
function roster(client: Client, roomId: string): Line[] {
  return client.heard.flatMap(({ event, payload }) => {
    const { roomId: of, users, online } = payload as { roomId: string; users: { id: string }[]; online: number };
    return event.startsWith('room:user_') && of === roomId
      ? { event: event.replace('room:user_', ''), users: users.map(({ id }) => id), online }
      : [];
  });
}

const waitFor = (client: Client, roomId: string, event: string, userId: string): Promise<Line> =>
  eventually(
    () => {
      const found = roster(client, roomId).find((line) => line.event === event && line.users.includes(userId));
      assert.ok(found, JSON.stringify(client.heard).slice(-2_000));
      return found;
    },
    { everyMs: 5, message: `${client.userId} waits until ${userId} has ${event}` },
  );

describe('in a small room', () => {
  test('the first socket of a user is told to the others that hear the room, and the last one', async (t) => {
    const roomId = await newRoom();
    const [ana, ben] = [unique('ana'), unique('ben')];
    const [first, second, deaf] = [
      await connect(t, here, ana),
      await connect(t, there, unique('dan')),
      await connect(t, here, unique('eve')),
    ];
    for (const client of [first, second, deaf]) await client.ok('room:join', { roomId });
    await deaf.ok('room:leave', { roomId });
    const phone = await connect(t, there, ben);
    await phone.ok('room:join', { roomId });
    for (const client of [first, second]) {
      const line = await waitFor(client, roomId, 'joined', ben);
      assert.deepEqual(line, { event: 'joined', users: [ben], online: 5 });
    }
    const heard = first.all('room:user_joined').find(({ users }) => users[0]?.id === ben);
    assert.deepEqual(heard?.users, [{ id: ben, name: heard?.users[0]?.name, status: 'online' }]);

    const laptop = await connect(t, here, ben);
    await laptop.ok('rooms:sync', { rooms: [{ roomId, seq: 0 }] });
    await phone.ok('room:leave', { roomId });
    await laptop.ok('room:leave', { roomId });
    for (const client of [first, second]) {
      const line = await waitFor(client, roomId, 'left', ben);
      assert.deepEqual(line, { event: 'left', users: [ben], online: 5 }, 'still online, and a member');
      assert.deepEqual(
        roster(client, roomId)
          .filter(({ users }) => users.includes(ben))
          .map(({ event }) => event),
        ['joined', 'left'],
        'devices are one user',
      );
    }
    await laptop.ok('room:join', { roomId });
    await eventually(() => assert.equal(roster(first, roomId).filter(({ users }) => users[0] === ben).length, 3));
    const ofDeaf = roster(deaf, roomId).filter(({ users }) => users.includes(ben));
    assert.deepEqual(ofDeaf, [], 'who does not hear the room is told nothing');
    assert.deepEqual(
      roster(phone, roomId).filter(({ users }) => users.includes(ben)),
      [],
      'nor oneself',
    );
  });

  test('a socket that closes has left after the grace, shown as offline', async (t) => {
    const roomId = await newRoom();
    const watcher = await connect(t, here, unique('ana'));
    await watcher.ok('room:join', { roomId });
    const ben = unique('ben');
    const client = await connect(t, there, ben);
    await client.ok('room:join', { roomId });
    await waitFor(watcher, roomId, 'joined', ben);
    client.close();
    const line = await waitFor(watcher, roomId, 'left', ben);
    assert.equal(line.online, 2);
    const [left] = watcher.all('room:user_left');
    assert.equal(left?.users[0]?.status, 'offline');
    assert.ok(left?.users[0]?.lastSeenAt !== undefined);
  });

  test('who left while nobody listened here is told of again', async (t) => {
    const roomId = await newRoom();
    const [watcher, witness] = [await connect(t, here, unique('ana')), await connect(t, there, unique('dan'))];
    const ben = await connect(t, there, unique('ben'));
    await witness.ok('room:join', { roomId });
    await watcher.ok('room:join', { roomId });
    await ben.ok('room:join', { roomId });
    await waitFor(watcher, roomId, 'joined', ben.userId);
    await watcher.ok('room:leave', { roomId });
    await ben.ok('room:leave', { roomId });
    await waitFor(witness, roomId, 'left', ben.userId);
    await watcher.ok('room:join', { roomId });
    await ben.ok('room:join', { roomId });
    await eventually(() => {
      const lines = roster(watcher, roomId).filter(({ users }) => users.includes(ben.userId));
      assert.deepEqual(
        lines.map(({ event }) => event),
        ['joined', 'joined'],
      );
    });
  });

  test('joining and leaving in turns over two gateways ends as it is', async (t) => {
    const roomId = await newRoom();
    const watcher = await connect(t, gatewayAt(gateways, 2), unique('ana'));
    await watcher.ok('room:join', { roomId });
    const ben = unique('ben');
    const devices = [await connect(t, here, ben), await connect(t, there, ben)];
    for (let round = 0; round < 20; round += 1) {
      for (const device of devices) await device.ok('room:join', { roomId });
      for (const device of devices) await device.ok('room:leave', { roomId });
    }
    await devices[0]?.ok('room:join', { roomId });
    await eventually(() => assert.equal(roster(watcher, roomId).at(-1)?.event, 'joined'));
    await devices[0]?.ok('room:leave', { roomId });
    const marker = await connect(t, here, unique('marker'));
    await marker.ok('room:join', { roomId });
    await waitFor(watcher, roomId, 'joined', marker.userId);
    const events = roster(watcher, roomId)
      .filter(({ users }) => users.includes(ben))
      .map(({ event }) => event);
    assert.equal(events.at(-1), 'left');
    // Coming and going that nobody was told of in time may be left out, but nothing is said twice.
    events.forEach((event, index) => assert.notEqual(event, events[index - 1], events.join(' ')));
  });
});

describe('in a room over ROSTER_DETAIL_MAX online users', async () => {
  const big = await Promise.all([1, 2, 3].map(() => gateways.start({ ROSTER_DETAIL_MAX: '2' })));
  const at = (index: number) => big[index % big.length] as (typeof big)[number];

  test('who comes is gathered, at most 50 are named, and the number is right', async (t) => {
    const roomId = await newRoom();
    const watcher = await connect(t, at(0), unique('ana'));
    await watcher.ok('room:join', { roomId });
    const people = Array.from({ length: 90 }, (_, index) => unique(`p${index}`));
    const clients = await Promise.all(people.map((userId, index) => connect(t, at(index), userId)));
    for (let from = 0; from < clients.length; from += 15) {
      await Promise.all(clients.slice(from, from + 15).map((client) => client.ok('room:join', { roomId })));
    }
    await eventually(() => assert.equal(roster(watcher, roomId).at(-1)?.online, 92));
    const lines = roster(watcher, roomId);
    const named = lines.flatMap(({ users }) => users);
    assert.ok(lines.length < 30, `${lines.length} events for 90 users`);
    assert.equal(new Set(named).size, named.length, 'nobody is named twice');
    for (const { users } of lines) assert.ok(users.length <= 50, `${users.length} are named`);
  });

  test('who joins and leaves within one window is not named at all', async (t) => {
    const roomId = await newRoom();
    const stay = [await connect(t, at(0), unique('ana')), await connect(t, at(1), unique('ben'))];
    for (const client of stay) await client.ok('room:join', { roomId });
    const [watcher] = stay as [Client];
    const passing = await connect(t, at(2), unique('passing'));
    const marker = await connect(t, at(2), unique('marker'));
    await passing.ok('room:join', { roomId });
    await passing.ok('room:leave', { roomId });
    await marker.ok('room:join', { roomId });
    await waitFor(watcher, roomId, 'joined', marker.userId);
    await marker.ok('room:leave', { roomId });
    await waitFor(watcher, roomId, 'left', marker.userId);
    const named = roster(watcher, roomId).flatMap(({ users }) => users);
    assert.ok(!named.includes(passing.userId));
  });
});
