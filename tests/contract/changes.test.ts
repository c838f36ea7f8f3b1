import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { connect, type Client } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 4 and 7: edit, delete, react, and the stream of changes.

const gateways = await startGateways({ after }, 2, { MAX_MESSAGE_LENGTH: '20' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana');
const ben = await connect({ after }, there, 'ben');

/** A room of ana's that ben hears too, with one message of ana's. */
async function roomWithMessage(): Promise<{ roomId: string; seq: number }> {
  const { room } = await ana.ok('room:create', { name: randomUUID() });
  await ben.ok('room:join', { roomId: room.id });
  const { seq } = await ana.send(room.id, 'one');
  return { roomId: room.id, seq };
}

const updates = (client: Client, roomId: string) =>
  client.all('message:updated').filter((message) => message.roomId === roomId);

describe('message:edit', () => {
  test('changes the content, gives a rev, and tells the others', async () => {
    const at = await roomWithMessage();
    const { message } = await ana.ok('message:edit', { ...at, content: 'zwei\u0308' });
    assert.equal(message.content, 'zwe\u00ef');
    assert.equal(message.rev, 1);
    assert.ok(message.editedAt !== undefined && message.editedAt >= message.createdAt);
    assert.deepEqual(await ben.waitFor('message:updated', ({ roomId }) => roomId === at.roomId), message);
    const { messages } = await ben.ok('message:history', { roomId: at.roomId });
    assert.deepEqual(messages, [message]);
    assert.deepEqual(updates(ana, at.roomId), [], 'who asks has it from the answer');
  });

  test('to the same content changes nothing and gives no rev', async () => {
    const at = await roomWithMessage();
    const { message } = await ana.ok('message:edit', { ...at, content: 'one' });
    assert.deepEqual([message.rev, message.editedAt], [undefined, undefined]);
    await ana.ok('message:edit', { ...at, content: 'two' });
    const [first] = [await ben.waitFor('message:updated', ({ roomId }) => roomId === at.roomId)];
    assert.deepEqual([first.rev, first.content], [1, 'two']);
  });

  test('is for the author, a message that is there, and a content that is good', async (t) => {
    const at = await roomWithMessage();
    await ben.refused('message:edit', { ...at, content: 'mine now' }, 'FORBIDDEN');
    await ana.refused('message:edit', { ...at, seq: 2, content: 'x' }, 'NOT_FOUND');
    await ana.refused('message:edit', { ...at, content: 'x'.repeat(21) }, 'MESSAGE_TOO_LONG');
    await ana.refused('message:edit', { ...at, content: '  ' }, 'VALIDATION_ERROR');
    const cid = await connect(t, there, 'cid');
    await cid.refused('message:edit', { ...at, content: 'x' }, 'NOT_A_MEMBER');
    await cid.refused('message:edit', { ...at, roomId: randomUUID(), content: 'x' }, 'NOT_FOUND');
    const { message } = await ana.ok('message:edit', { ...at, content: 'first' });
    assert.equal(message.rev, 1, 'a failed request changes nothing');
  });
});

describe('message:delete', () => {
  test('empties the message and keeps its place', async () => {
    const at = await roomWithMessage();
    await ben.ok('message:react', { ...at, emoji: '👍', on: true });
    const { message } = await ana.ok('message:delete', at);
    assert.deepEqual([message.seq, message.content, message.rev, message.reactions], [1, '', 2, undefined]);
    assert.ok(message.deletedAt !== undefined);
    assert.deepEqual(await ben.waitFor('message:updated', ({ deletedAt }) => deletedAt !== undefined), message);
    const again = await ana.ok('message:delete', at);
    assert.deepEqual(again.message, message);
    await ana.refused('message:edit', { ...at, content: 'back' }, 'CONFLICT');
    await ben.refused('message:react', { ...at, emoji: '👍', on: true }, 'CONFLICT');
    assert.equal((await ana.send(at.roomId, 'next')).seq, 2);
  });

  test('authors their own, owners any, members no others', async () => {
    const at = await roomWithMessage();
    await ben.refused('message:delete', at, 'FORBIDDEN');
    const bens = await ben.send(at.roomId, "ben's");
    const { message } = await ana.ok('message:delete', { roomId: at.roomId, seq: bens.seq });
    assert.equal(message.sender.id, 'ben');
    assert.ok(message.deletedAt !== undefined);
  });

  test('moderators any, also those of an owner', async () => {
    const at = await roomWithMessage();
    await ana.ok('member:role', { roomId: at.roomId, userId: 'ben', role: 'moderator' });
    await ben.refused('message:edit', { ...at, content: 'mine now' }, 'FORBIDDEN');
    const { message } = await ben.ok('message:delete', at);
    assert.deepEqual([message.sender.id, message.content], ['ana', '']);
    assert.deepEqual(await ana.waitFor('message:updated', ({ roomId }) => roomId === at.roomId), message);
  });
});

describe('message:react', () => {
  test('counts users by emoji, in the order of the first of each', async () => {
    const at = await roomWithMessage();
    await ben.ok('message:react', { ...at, emoji: '🎉', on: true });
    await ana.ok('message:react', { ...at, emoji: '👍', on: true });
    const { message } = await ana.ok('message:react', { ...at, emoji: '🎉', on: true });
    assert.deepEqual(message.reactions, [
      { emoji: '🎉', count: 2, userIds: ['ben', 'ana'] },
      { emoji: '👍', count: 1, userIds: ['ana'] },
    ]);
    assert.equal(message.rev, 3);
    const taken = await ben.ok('message:react', { ...at, emoji: '🎉', on: false });
    assert.deepEqual(taken.message.reactions?.[0], { emoji: '👍', count: 1, userIds: ['ana'] });
    assert.equal(taken.message.editedAt, undefined);
  });

  test('setting what is set gives no rev, and neither does taking back what is not there', async () => {
    const at = await roomWithMessage();
    await ben.ok('message:react', { ...at, emoji: 'ok', on: false });
    const first = await ben.ok('message:react', { ...at, emoji: 'ok', on: true });
    const again = await ben.ok('message:react', { ...at, emoji: 'ok', on: true });
    assert.deepEqual([first.message.rev, again.message], [1, first.message]);
  });

  test('names the first twenty users, and counts all', async (t) => {
    const at = await roomWithMessage();
    const crowd = await Promise.all(
      Array.from({ length: 21 }, (_, index) => connect(t, index % 2 === 0 ? here : there, `fan${index}`)),
    );
    for (const one of crowd) {
      await one.ok('room:join', { roomId: at.roomId });
      await one.ok('message:react', { ...at, emoji: '👏', on: true });
    }
    const { messages } = await ben.ok('message:history', { roomId: at.roomId });
    const userIds = crowd.slice(0, 20).map(({ userId }) => userId);
    assert.deepEqual(messages[0]?.reactions, [{ emoji: '👏', count: 21, userIds }]);
  });

  test('a message has only so many different reactions', async () => {
    const at = await roomWithMessage();
    for (let index = 0; index < 50; index += 1) await ben.ok('message:react', { ...at, emoji: `e${index}`, on: true });
    await ben.refused('message:react', { ...at, emoji: 'one more', on: true }, 'VALIDATION_ERROR');
    await ben.refused('message:react', { ...at, emoji: 'more', on: true }, 'CONFLICT');
    await ana.ok('message:react', { ...at, emoji: 'e7', on: true });
  });
});

test('a member need not hear the room to edit, delete and react', async (t) => {
  const { roomId } = await roomWithMessage();
  const cid = await connect(t, there, 'cid');
  await callOk(here, 'roomJoinPost', { token: await token('cid'), params: { id: roomId } });
  const { seq } = await cid.send(roomId, 'mine');
  await cid.ok('message:edit', { roomId, seq, content: 'edited' });
  await cid.ok('message:react', { roomId, seq: 1, emoji: '👍', on: true });
  const { message } = await cid.ok('message:delete', { roomId, seq });
  const told = await ana.waitFor('message:updated', (one) => one.roomId === roomId && one.rev === 3);
  assert.deepEqual(told, message);
  assert.deepEqual(updates(cid, roomId), [], 'it hears the room by that');
});

test('with echo the one that asks hears its change as well, once and in order', async (t) => {
  const { roomId, seq } = await roomWithMessage();
  const [echoing, device] = [await connect(t, there, 'ana', { auth: { echo: true } }), await connect(t, here, 'ana')];
  for (const one of [echoing, device]) await one.ok('room:join', { roomId });
  const { message } = await echoing.ok('message:edit', { roomId, seq, content: 'two' });
  await ben.ok('message:react', { roomId, seq, emoji: '👍', on: true });
  const deleted = await echoing.ok('message:delete', { roomId, seq });
  for (const one of [echoing, device]) {
    await one.waitFor('message:updated', ({ deletedAt }) => deletedAt !== undefined);
    assert.deepEqual(
      updates(one, roomId).map(({ rev }) => rev),
      [1, 2, 3],
    );
    assert.deepEqual([updates(one, roomId)[0], updates(one, roomId)[2]], [message, deleted.message]);
  }
});

test('changes of many at once have one order, without a gap, on every gateway', async (t) => {
  const { roomId } = await roomWithMessage();
  const crowd = await Promise.all(
    Array.from({ length: 6 }, (_, index) => connect(t, index % 2 === 0 ? here : there, `crowd${index}`)),
  );
  for (const one of crowd) await one.ok('room:join', { roomId });
  const echoing = await connect(t, there, 'echo', { auth: { echo: true } });
  const { room } = await echoing.ok('room:join', { roomId });
  await Promise.all(
    crowd.flatMap((one, index) =>
      Array.from({ length: 10 }, (_, turn) =>
        one.ok('message:react', { roomId, seq: 1, emoji: `e${index}`, on: turn % 2 === 0 }),
      ),
    ),
  );
  const last = await ana.ok('message:edit', { roomId, seq: 1, content: 'the end' });
  await echoing.waitFor('message:updated', ({ content }) => content === 'the end');
  const revs = updates(echoing, roomId).map(({ rev }) => rev);
  assert.deepEqual(
    revs,
    Array.from({ length: (last.message.rev ?? 0) - room.headRev }, (_, index) => index + 1),
  );
  assert.equal(last.message.rev, 61);
});
