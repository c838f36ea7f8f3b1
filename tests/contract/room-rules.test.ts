import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Extensions of the contract: what the owners of a room set beside its name: words and slow mode. Two gateways.

const gateways = await startGateways({ after }, 2, { WORD_FILTER: 'mask', WORD_FILTER_WORDS: 'everywhere' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const { db } = lookInto({ after }, gateways.databaseUrl);
const ana = await connect({ after }, here, 'ana');
const ben = await connect({ after }, there, 'ben');
const mod = await connect({ after }, there, 'mod');
const tokens = { ana: await token('ana'), ben: await token('ben'), mod: await token('mod'), dan: await token('dan') };

/** A room of ana's with ben, a member, and mod, a moderator. */
async function makeRoom(kind: 'public' | 'private' = 'public'): Promise<string> {
  const { room } = await ana.ok('room:create', { name: randomUUID(), kind });
  for (const userId of ['ben', 'mod']) await ana.ok('member:add', { roomId: room.id, userId });
  await ana.ok('member:role', { roomId: room.id, userId: 'mod', role: 'moderator' });
  for (const client of [ben, mod]) await client.ok('room:join', { roomId: room.id });
  return room.id;
}

const change = (roomId: string, body: object, gateway = here) =>
  callOk(gateway, 'roomPatch', { token: tokens.ana, params: { id: roomId }, body });

const filterOf = async (roomId: string, as: keyof typeof tokens = 'ana') =>
  (await callOk(there, 'roomWordFilterGet', { token: tokens[as], params: { id: roomId } })).wordFilter;

describe('the words of a room', () => {
  test('hold at every gateway as soon as the change is answered, and end as soon', async () => {
    const [roomId, otherRoom] = [await makeRoom(), await makeRoom()];
    for (const client of [ana, ben]) await client.send(roomId, 'darn'); // both gateways know that there is no rule
    for (let round = 1; round <= 10; round += 1) {
      await change(
        roomId,
        { wordFilter: { mode: 'mask', words: ['darn', 'foo bar'] } },
        round % 2 === 0 ? here : there,
      );
      for (const client of [ana, ben]) {
        assert.equal((await client.send(roomId, 'Darn! foo-bar, everywhere')).content, '****! *******, **********');
        assert.equal((await client.send(otherRoom, 'darn everywhere')).content, 'darn **********');
      }
      await change(roomId, { wordFilter: { mode: 'off' } });
      for (const client of [ana, ben]) assert.equal((await client.send(roomId, 'darn')).content, 'darn');
    }
  });

  test('refuse sends and edits with VALIDATION_ERROR, and only those', async () => {
    const roomId = await makeRoom();
    await change(roomId, { wordFilter: { mode: 'reject', words: ['darn'] } });
    const clientMsgId = randomUUID();
    const error = await ben.refused('message:send', { roomId, content: 'darn', clientMsgId }, 'VALIDATION_ERROR');
    assert.doesNotMatch(JSON.stringify(error), /darn/);
    const { seq } = await ben.send(roomId, 'well', { clientMsgId });
    assert.equal(seq, 1);
    await ben.refused('message:edit', { roomId, seq, content: 'DARN' }, 'VALIDATION_ERROR');
    const params = { id: roomId };
    await callRefused(there, 'roomMessagesPost', 'VALIDATION_ERROR', {
      token: tokens.ben,
      params,
      body: { content: 'darn', clientMsgId: 'x' },
    });
    await ben.ok('message:edit', { roomId, seq, content: 'darned' });
    await ana.waitFor('message:updated', (message) => message.content === 'darned');
  });

  test('a retry of what was stored before the word was on the list is answered as one', async () => {
    const roomId = await makeRoom();
    const send = { roomId, content: 'darn', clientMsgId: randomUUID() };
    const { message } = await ben.ok('message:send', send);
    await change(roomId, { wordFilter: { mode: 'reject', words: ['darn'] } });
    assert.deepEqual(await ben.ok('message:send', send), { message, duplicate: true });
  });

  test('tell outsiders nothing: a private room that refuses a word does not exist for them', async () => {
    const roomId = await makeRoom('private');
    await change(roomId, { wordFilter: { mode: 'reject', words: ['darn'] } });
    const dan = await connect({ after }, there, 'dan');
    await dan.refused('message:send', { roomId, content: 'darn', clientMsgId: 'x' }, 'NOT_FOUND');
    await dan.refused('message:edit', { roomId, seq: 1, content: 'darn' }, 'NOT_FOUND');
    const open = await makeRoom();
    await change(open, { wordFilter: { mode: 'reject', words: ['darn'] } });
    await dan.refused('message:send', { roomId: open, content: 'darn', clientMsgId: 'x' }, 'NOT_A_MEMBER');
  });

  test('keep the order of what one socket sends, known or not yet', async () => {
    for (let round = 0; round < 5; round += 1) {
      const roomId = await makeRoom();
      await change(roomId, { wordFilter: { mode: 'mask', words: ['darn'] } });
      const contents = Array.from({ length: 40 }, (_, index) => `${index} ${index % 3 === 0 ? 'darn' : 'well'}`);
      const sent = await Promise.all(contents.map((content) => ben.send(roomId, content)));
      assert.deepEqual(
        sent.map(({ seq }) => seq),
        contents.map((_, index) => index + 1),
      );
    }
  });

  test('are found by a gateway that did not hear of the change', async () => {
    const roomId = await makeRoom();
    await ben.send(roomId, 'darn');
    await db
      .insertInto('room_word_filters')
      .values({ room_id: roomId, mode: 'mask', words: ['darn'] })
      .execute();
    await eventually(async () => assert.equal((await ben.send(roomId, 'darn')).content, '****'), {
      timeoutMs: 20_000,
      everyMs: 200,
    });
  });

  test('are read by moderators and owners, as they were set', async () => {
    const roomId = await makeRoom();
    assert.deepEqual(await filterOf(roomId), { mode: 'off', words: [] });
    const wordFilter = { mode: 'reject' as const, words: ['Cafe\u0301', ' foo  bar '] };
    await change(roomId, { wordFilter });
    const stored = { mode: 'reject', words: ['Caf\u00e9', 'foo  bar'] };
    assert.deepEqual(await filterOf(roomId), stored);
    assert.deepEqual(await filterOf(roomId, 'mod'), stored);
    const params = { id: roomId };
    await callRefused(here, 'roomWordFilterGet', 'FORBIDDEN', { token: tokens.ben, params });
    await callRefused(here, 'roomWordFilterGet', 'NOT_A_MEMBER', { token: tokens.dan, params });
    await change(roomId, { wordFilter: { mode: 'off', words: ['ignored'] } });
    assert.deepEqual(await filterOf(roomId), { mode: 'off', words: [] });
  });
});

describe('slow mode', () => {
  /** Ends the wait of a member by making its last message older. */
  const waitOver = (roomId: string, userId: string) =>
    db
      .updateTable('members')
      .set({ last_sent_at: new Date(0) })
      .where('room_id', '=', roomId)
      .where('user_id', '=', userId)
      .execute();

  const slowOf = async (client: Client, roomId: string) => {
    const error = await client.refused(
      'message:send',
      { roomId, content: 'too soon', clientMsgId: randomUUID() },
      'RATE_LIMITED',
    );
    assert.ok(error.retryAfterMs !== undefined && error.retryAfterMs > 0 && error.retryAfterMs <= 3_600_000);
  };

  test('lets a member say one thing in that time, over all gateways; moderators and owners are free', async () => {
    const roomId = await makeRoom();
    const { room } = await change(roomId, { slowModeMs: 3_600_000 });
    assert.equal(room.slowModeMs, 3_600_000);
    const { room: told } = await ben.waitFor('room:updated', (event) => event.room.id === roomId);
    assert.equal(told.slowModeMs, 3_600_000);
    const benHere = await connect({ after }, here, 'ben');
    await ben.send(roomId, 'first');
    for (const client of [ben, benHere]) await slowOf(client, roomId);
    const body = { content: 'by REST', clientMsgId: randomUUID() };
    const params = { id: roomId };
    await callRefused(here, 'roomMessagesPost', 'RATE_LIMITED', { token: tokens.ben, params, body });
    for (const client of [ana, mod, ana, mod]) await client.send(roomId, 'free');
    await waitOver(roomId, 'ben');
    await benHere.send(roomId, 'second');
    await slowOf(ben, roomId);
    await ana.waitFor('message:new', ({ content }) => content === 'second');
    assert.deepEqual(
      ana.contents(roomId).filter((content) => content !== 'free'),
      ['first', 'second'],
    );
  });

  test('many at once: exactly one passes', async () => {
    const roomId = await makeRoom();
    await change(roomId, { slowModeMs: 3_600_000 });
    const benHere = await connect({ after }, here, 'ben');
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? ben : benHere).request('message:send', {
          roomId,
          content: 'now',
          clientMsgId: randomUUID(),
        }),
      ),
    );
    assert.equal(acks.filter((ack) => ack.ok).length, 1);
    assert.ok(acks.every((ack) => ack.ok || ack.error.code === 'RATE_LIMITED'));
  });

  test('a retry of what was stored is answered as one', async () => {
    const roomId = await makeRoom();
    await change(roomId, { slowModeMs: 3_600_000 });
    const send = { roomId, content: 'once', clientMsgId: randomUUID() };
    const { message } = await ben.ok('message:send', send);
    assert.deepEqual(await ben.ok('message:send', send), { message, duplicate: true });
  });

  test('edits and other rooms are not slowed down; 0 ends it', async () => {
    const [roomId, otherRoom] = [await makeRoom(), await makeRoom()];
    await change(roomId, { slowModeMs: 3_600_000 });
    const { seq } = await ben.send(roomId, 'first');
    await ben.ok('message:edit', { roomId, seq, content: 'edited' });
    await ben.send(otherRoom, 'elsewhere');
    await slowOf(ben, roomId);
    const { room } = await change(roomId, { slowModeMs: 0 });
    assert.ok(!('slowModeMs' in room));
    await ben.send(roomId, 'free again');
  });
});

describe('who may set them', () => {
  test('owners, and not in direct rooms; what is wrong changes nothing', async () => {
    const roomId = await makeRoom();
    const params = { id: roomId };
    for (const body of [{ slowModeMs: 1_000 }, { wordFilter: { mode: 'mask', words: ['darn'] } }]) {
      await callRefused(here, 'roomPatch', 'FORBIDDEN', { token: tokens.mod, params, body });
      await callRefused(here, 'roomPatch', 'FORBIDDEN', { token: tokens.ben, params, body });
      const { room } = await ana.ok('direct:open', { userId: 'ben' });
      await callRefused(here, 'roomPatch', 'FORBIDDEN', { token: tokens.ana, params: { id: room.id }, body });
    }
    const bad = { slowModeMs: 1_000, wordFilter: { mode: 'mask', words: [''] } };
    await callRefused(here, 'roomPatch', 'VALIDATION_ERROR', { token: tokens.ana, params, body: bad });
    assert.deepEqual(await filterOf(roomId), { mode: 'off', words: [] });
    const { room } = await callOk(here, 'roomGet', { token: tokens.ana, params });
    assert.ok(!('slowModeMs' in room));
  });

  test('each change is in the audit; what was so already is none', async () => {
    const roomId = await makeRoom();
    const wordFilter = { mode: 'mask', words: ['darn'] };
    for (let times = 0; times < 2; times += 1) await change(roomId, { slowModeMs: 5_000, wordFilter });
    const { entries } = await callOk(here, 'roomAuditGet', { token: tokens.ana, params: { id: roomId } });
    const changes = entries.filter(({ act }) => act === 'room:change');
    assert.deepEqual(
      changes.map(({ details }) => details),
      [{ slowModeMs: 5_000, wordFilter }],
    );
  });
});
