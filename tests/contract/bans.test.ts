import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ack } from '@parley/protocol';
import { eventually, startRedis } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways, type Gateways } from '../support/gateways.ts';
import { callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 4: bans; section 7, guarantee 6: after the ack of a ban nothing more, at any gateway, while the
// banned user does all it can.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
let names = 0;

describe('member:ban', () => {
  test('ends the membership; join, by REST too, and add are FORBIDDEN until it is lifted', async (t) => {
    const [owner, ben] = [await connect(t, here, 'owner'), await connect(t, there, 'ben')];
    const bens = await token('ben');
    for (const kind of ['public', 'private'] as const) {
      const { room } = await owner.ok('room:create', { name: `Bans ${(names += 1)}`, kind });
      const target = { roomId: room.id, userId: 'ben' };
      await owner.ok('member:add', target);
      await ben.ok('room:join', { roomId: room.id });
      assert.deepEqual(await owner.ok('member:ban', { ...target, on: true, reason: 'Spam' }), {});
      await ben.waitFor('room:removed', ({ roomId, reason }) => roomId === room.id && reason === 'banned');
      await ben.refused('room:join', { roomId: room.id }, 'FORBIDDEN');
      await callRefused(here, 'roomJoinPost', 'FORBIDDEN', { token: bens, params: { id: room.id } });
      await owner.refused('member:add', target, 'FORBIDDEN');
      await owner.ok('member:ban', { ...target, on: true }); // once more changes nothing
      const code = kind === 'public' ? 'NOT_A_MEMBER' : 'NOT_FOUND';
      await ben.refused('message:send', { roomId: room.id, content: 'x', clientMsgId: 'x' }, code);

      assert.deepEqual(await owner.ok('member:ban', { ...target, on: false }), {});
      const { members } = await owner.ok('room:members', { roomId: room.id });
      assert.deepEqual(
        members.map(({ id }) => id),
        ['owner'],
      );
      if (kind === 'private') await owner.ok('member:add', target);
      assert.equal((await ben.ok('room:join', { roomId: room.id })).room.memberCount, 2);
    }
  });

  test('of who never was a member keeps it out of a public room, by name too, and tells it nothing', async (t) => {
    const [owner, ned] = [await connect(t, here, 'owner'), await connect(t, there, 'ned')];
    const { room } = await owner.ok('room:create', { name: `Bans ${(names += 1)}` });
    await owner.ok('member:ban', { roomId: room.id, userId: 'ned', on: true });
    await ned.refused('room:join', { name: room.name }, 'FORBIDDEN');
    const other = await owner.ok('room:create', { name: `Bans ${(names += 1)}` });
    await owner.ok('member:add', { roomId: other.room.id, userId: 'ned' });
    await ned.waitFor('room:added'); // the marker
    assert.deepEqual(ned.all('room:removed'), []);
  });

  test('of oneself is VALIDATION_ERROR', async (t) => {
    const owner = await connect(t, here, 'owner');
    const { room } = await owner.ok('room:create', { name: `Bans ${(names += 1)}` });
    for (const on of [true, false]) {
      await owner.refused('member:ban', { roomId: room.id, userId: 'owner', on }, 'VALIDATION_ERROR');
    }
  });
});

/** Sends every so often until stopped, and keeps what became of it. */
function sendSteadily(t: TestContext, client: Client, roomId: string, everyMs: number) {
  const answers: { ack: Ack<unknown>; askedAfterBan: boolean }[] = [];
  const state = { isStopped: false, isBanned: false };
  t.after(() => void (state.isStopped = true));
  const waiting: Promise<void>[] = [];
  const done = (async () => {
    while (!state.isStopped) {
      const askedAfterBan = state.isBanned;
      const payload = { roomId, content: `from ${client.userId}`, clientMsgId: randomUUID() };
      waiting.push(client.request('message:send', payload).then((ack) => void answers.push({ ack, askedAfterBan })));
      await pause(everyMs);
    }
    await Promise.all(waiting);
  })();
  return { answers, state, done };
}

/** Joins again and again until it is refused. @returns the code of the refusal, and whether a page came too late */
function joinUntilRefused(client: Client, roomId: string): Promise<{ code: string; isLate: boolean }> {
  return new Promise((resolve) => {
    let isLate = false;
    const join = (): void => {
      // Looked at as the answer is read: what comes right behind it must not count.
      client.socket.emit('room:join', { roomId, history: 5 }, (ack: Ack<unknown>) => {
        if (!ack.ok) {
          resolve({ code: ack.error.code, isLate });
          return;
        }
        isLate ||= client.all('room:removed').length > 0;
        join();
      });
    };
    join();
  });
}

const seqOf = (ack: Ack<unknown>): number => (ack.ok ? (ack.data as { message: { seq: number } }).message.seq : 0);

/** What a client heard of a room, in its order: an entry a message with its seq, 'removed' for the removal. */
function storyOf(client: Client, roomId: string): (number | string)[] {
  return client.heard.flatMap(({ event, payload }) => {
    const { roomId: of, room, seq } = payload as { roomId?: string; room?: { id: string }; seq?: number };
    if ((of ?? room?.id) !== roomId) return [];
    if (event === 'message:new') return seq ?? 0;
    return event === 'room:removed' ? 'removed' : event;
  });
}

/**
 * A user sends 100 messages a second from two devices at two gateways, joins again and again with a third, and is banned
 * by somebody while all are talking.
 *
 * @param during what happens at the same time; the ban is asked for when it calls `ban`
 */
async function banUnderFire(
  t: TestContext,
  { all }: Gateways,
  db: ReturnType<typeof lookInto>['db'],
  during: (ban: () => Promise<void>) => Promise<void> = (ban) => ban(),
): Promise<void> {
  const [one, two] = [all[0], all[1]];
  assert.ok(one && two);
  const mark = `r${(names += 1)}`;
  const [owner, witness] = [await connect(t, one, `owner.${mark}`), await connect(t, two, `witness.${mark}`)];
  const devices = [
    await connect(t, one, `pest.${mark}`),
    await connect(t, two, `pest.${mark}`),
    await connect(t, two, `pest.${mark}`),
  ];
  const { room } = await owner.ok('room:create', { name: `Under fire ${mark}` });
  const roomId = room.id;
  for (const client of [witness, ...devices]) await client.ok('room:join', { roomId });
  const pests = devices.slice(0, 2).map((device) => sendSteadily(t, device, roomId, 20));
  const others = [sendSteadily(t, owner, roomId, 10), sendSteadily(t, witness, roomId, 10)];
  const joining = joinUntilRefused(devices[2] as Client, roomId);
  await eventually(() => assert.ok(pests.every(({ answers }) => answers.length >= 5)), { everyMs: 5 });

  await during(async () => {
    await owner.ok('member:ban', { roomId, userId: `pest.${mark}`, on: true });
    for (const { state } of pests) state.isBanned = true;
  });
  // Committed after the ack of the ban: nothing from here on is for the banned, or of the banned.
  const marker = await owner.send(roomId, 'the ban is acknowledged');
  assert.deepEqual(await joining, { code: 'FORBIDDEN', isLate: false });
  await eventually(() =>
    assert.ok(pests.every(({ answers }) => answers.filter(({ askedAfterBan }) => askedAfterBan).length >= 5)),
  );
  for (const { state } of [...pests, ...others]) state.isStopped = true;
  await Promise.all([...pests, ...others].map(({ done }) => done));
  const last = await owner.send(roomId, 'the last');

  for (const { answers } of pests) {
    for (const { ack, askedAfterBan } of answers) {
      if (ack.ok) assert.ok(!askedAfterBan && seqOf(ack) < marker.seq, 'a send was accepted after the ban');
      else assert.equal(ack.error.code, 'NOT_A_MEMBER');
    }
  }
  const stored = await db
    .selectFrom('messages')
    .where('room_id', '=', roomId)
    .where('sender_id', '=', `pest.${mark}`)
    .select((eb) => eb.fn.max('seq').as('last'))
    .executeTakeFirstOrThrow();
  assert.ok(stored.last < marker.seq, 'a message of the banned was stored after the ban');

  await witness.waitFor('message:new', ({ seq }) => seq === last.seq);
  for (const device of devices) {
    // What was on its way to it has arrived when a message of another room has that came after.
    const other = await owner.ok('room:create', { name: `Beside ${(names += 1)}` });
    await device.ok('room:join', { roomId: other.room.id });
    await owner.send(other.room.id, 'barrier');
    await device.waitFor('message:new', (message) => message.roomId === other.room.id);
    const story = storyOf(device, roomId);
    assert.ok(story.length > 1);
    const late = story.filter((entry) => typeof entry === 'number' && entry >= marker.seq);
    assert.deepEqual(late, [], 'something was heard that was committed after the ban');
    // A gateway that found out by itself before it was asked says so twice.
    const end = new Set(story.slice(story.indexOf('removed')));
    assert.deepEqual([...end], ['removed'], 'the removal is the end of it');
  }
  const heard = new Set(storyOf(witness, roomId));
  const own = new Set(others[1]?.answers.map(({ ack }) => seqOf(ack)));
  const from = witness.all('message:new').find((message) => message.roomId === roomId)?.seq ?? 0;
  for (let seq = from; seq <= last.seq; seq += 1) assert.ok(heard.has(seq) || own.has(seq), `${seq} is missing`);
  for (const client of [owner, witness, ...devices]) client.close();
}

describe('a ban while its user sends and joins from three devices at two gateways', () => {
  const { db } = lookInto({ after }, gateways.databaseUrl);

  for (let round = 1; round <= 20; round += 1) {
    test(`nothing is accepted and nothing heard after the ack, ${round} of 20`, (t) => banUnderFire(t, gateways, db));
  }
});

describe('the same while Redis', async () => {
  const redis = await startRedis();
  after(() => redis.remove());
  const shaken = await startGateways({ after }, 2, { REDIS_URL: redis.url });
  const { db } = lookInto({ after }, shaken.databaseUrl);

  for (let round = 1; round <= 2; round += 1) {
    test(`is away, ${round} of 2`, (t) =>
      banUnderFire(t, shaken, db, async (ban) => {
        await redis.stop('SIGKILL');
        await ban();
        await redis.start();
      }));

    test(`goes away at that moment and comes back, ${round} of 2`, (t) =>
      banUnderFire(t, shaken, db, async (ban) => {
        await Promise.all([ban(), redis.stop('SIGKILL').then(() => redis.start())]);
      }));

    test(`has just come back without its data, ${round} of 2`, (t) =>
      banUnderFire(t, shaken, db, async (ban) => {
        await redis.stop('SIGKILL');
        await redis.start();
        await ban();
      }));
  }
});
