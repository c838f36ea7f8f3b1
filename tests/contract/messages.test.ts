import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { connect } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 3, 4 and 7: sending. MAX_MESSAGE_LENGTH is short here, so that its edge is easy to see.

const gateways = await startGateways({ after }, 2, { MAX_MESSAGE_LENGTH: '10' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const database = lookInto({ after }, gateways.databaseUrl);
const anas = await token('ana', { name: 'Ana' });
const ana = await connect({ after }, here, 'ana', { token: anas });
const ben = await connect({ after }, there, 'ben');

async function newRoom(...others: (typeof ana)[]): Promise<string> {
  const { room } = await ana.ok('room:create', { name: randomUUID() });
  for (const other of others) await other.ok('room:join', { roomId: room.id });
  return room.id;
}

describe('message:send', () => {
  test('answers the message as it is stored and as others hear it', async () => {
    const roomId = await newRoom(ben);
    const before = Date.now();
    const { message, duplicate } = await ana.ok('message:send', { roomId, content: 'hello', clientMsgId: 'c1' });
    assert.equal(duplicate, false);
    const { id, createdAt, ...rest } = message;
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.ok(Math.abs(Date.parse(createdAt) - before) < 10_000);
    assert.deepEqual(rest, {
      roomId,
      seq: 1,
      sender: { id: 'ana', name: 'Ana' },
      content: 'hello',
      clientMsgId: 'c1',
    });
    assert.deepEqual(await ben.waitFor('message:new', (one) => one.roomId === roomId), message);
    const { messages } = await ben.ok('message:history', { roomId });
    assert.deepEqual(messages, [message]);
  });

  test('over REST: 201 for a new one, 200 for a duplicate', async () => {
    const roomId = await newRoom();
    const options = { token: anas, params: { id: roomId }, body: { content: 'hello', clientMsgId: 'c1' } };
    const first = await callOk(here, 'roomMessagesPost', { ...options, status: 201 });
    assert.equal(first.duplicate, false);
    const second = await callOk(there, 'roomMessagesPost', { ...options, status: 200 });
    assert.deepEqual(second, { message: first.message, duplicate: true });
    const bySocket = await ana.ok('message:send', { roomId, content: 'other', clientMsgId: 'c1' });
    assert.deepEqual(bySocket, second);
  });

  test('sending reads up to one’s own message, and is unread for the others', async () => {
    const roomId = await newRoom(ben);
    const meOf = async (client: typeof ana) => {
      const { rooms } = await client.ok('room:list', { scope: 'mine', limit: 100 });
      return rooms.find(({ id }) => id === roomId)?.me;
    };
    await ana.send(roomId, 'one');
    await ana.send(roomId, 'two');
    assert.deepEqual(await meOf(ana), { role: 'owner', lastReadSeq: 2, unread: 0 });
    assert.deepEqual(await meOf(ben), { role: 'member', lastReadSeq: 0, unread: 2 });
    await ben.send(roomId, 'three');
    assert.deepEqual(await meOf(ana), { role: 'owner', lastReadSeq: 2, unread: 1 });
    assert.deepEqual(await meOf(ben), { role: 'member', lastReadSeq: 3, unread: 0 });
  });

  test('replyTo is the seq of a message of the room', async () => {
    const roomId = await newRoom();
    const first = await ana.send(roomId, 'first');
    const reply = await ana.send(roomId, 'reply', { replyTo: first.seq });
    assert.equal(reply.replyTo, 1);
    await ana.refused('message:send', { roomId, content: 'x', clientMsgId: 'x1', replyTo: 3 }, 'NOT_FOUND');
    await ana.refused('message:send', { roomId, content: 'x', clientMsgId: 'x2', replyTo: 0 }, 'VALIDATION_ERROR');
    const body = { content: 'x', clientMsgId: 'x3', replyTo: 99 };
    await callRefused(there, 'roomMessagesPost', 'NOT_FOUND', { token: anas, params: { id: roomId }, body });
    assert.equal((await ana.send(roomId, 'third')).seq, 3, 'a failed send took a seq');
  });

  test('members may send without hearing the room; others are NOT_A_MEMBER', async (t) => {
    const roomId = await newRoom();
    const cid = await connect(t, there, 'cid');
    const payload = { roomId, content: 'hello', clientMsgId: 'c1' };
    await cid.refused('message:send', payload, 'NOT_A_MEMBER');
    await cid.refused('message:history', { roomId }, 'NOT_A_MEMBER');
    const rest = { token: await token('cid'), params: { id: roomId } };
    const { roomId: _unused, ...body } = payload;
    await callRefused(here, 'roomMessagesPost', 'NOT_A_MEMBER', { ...rest, body });
    await callRefused(here, 'roomMessagesGet', 'NOT_A_MEMBER', rest);
    await callOk(there, 'roomJoinPost', { ...rest, body: {} });
    assert.equal((await cid.send(roomId, 'hello')).seq, 1);
  });

  test('in slow mode: RATE_LIMITED until the next is allowed; a retry is answered', async () => {
    const roomId = await newRoom(ben);
    await database.db.updateTable('rooms').set({ slow_mode_ms: 60_000 }).where('id', '=', roomId).execute();
    const send = { roomId, content: 'hello', clientMsgId: 'c1' };
    const { message } = await ben.ok('message:send', send);
    const { retryAfterMs = 0 } = await ben.refused('message:send', { ...send, clientMsgId: 'c2' }, 'RATE_LIMITED');
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 60_000, `${retryAfterMs}`);
    assert.deepEqual(await ben.ok('message:send', send), { message, duplicate: true });
    assert.equal((await ana.send(roomId, 'owner')).seq, 2);
    assert.equal((await ana.send(roomId, 'owner')).seq, 3);
  });

  test('to who has blocked the sender: FORBIDDEN, in their direct room', async () => {
    const roomId = await newRoom(ben);
    await database.pool.query(`update rooms set kind = 'direct', direct_key = id::text where id = $1`, [roomId]);
    await database.db.insertInto('user_blocks').values({ user_id: 'ana', blocked_id: 'ben' }).execute();
    await ben.refused('message:send', { roomId, content: 'hello', clientMsgId: 'c1' }, 'FORBIDDEN');
    assert.equal((await ana.send(roomId, 'there?')).seq, 1);
  });

  test('a failed send changes nothing: the clientMsgId may be used again', async () => {
    const roomId = await newRoom();
    const payload = { roomId, clientMsgId: 'again' };
    await ana.refused('message:send', { ...payload, content: 'x'.repeat(11) }, 'MESSAGE_TOO_LONG');
    await ana.refused('message:send', { ...payload, content: 'x', replyTo: 5 }, 'NOT_FOUND');
    const { message, duplicate } = await ana.ok('message:send', { ...payload, content: 'good' });
    assert.deepEqual([message.seq, message.content, duplicate], [1, 'good', false]);
  });

  test('unknown fields are not believed, stored or passed on', async () => {
    const roomId = await newRoom(ben);
    const forged = {
      roomId,
      content: 'hello',
      clientMsgId: 'c1',
      id: randomUUID(),
      seq: 99,
      rev: 7,
      sender: { id: 'ben', name: 'Ben' },
      createdAt: '2000-01-01T00:00:00.000Z',
      editedAt: '2000-01-01T00:00:00.000Z',
      mentions: ['ben'],
      attachments: [{ url: 'javascript:alert(1)' }],
      evil: 'evil',
    };
    const ack = await ana.request('message:send', forged);
    assert.ok(ack.ok);
    const heard = await ben.waitFor('message:new', (one) => one.roomId === roomId);
    const { messages } = await ben.ok('message:history', { roomId });
    assert.deepEqual(heard, messages[0]);
    const { id, createdAt, ...rest } = heard;
    assert.notEqual(id, forged.id);
    assert.ok(createdAt > '2020');
    const sender = { id: 'ana', name: 'Ana' };
    assert.deepEqual(rest, { roomId, seq: 1, sender, content: 'hello', clientMsgId: 'c1' });
  });
});

describe('content', () => {
  test('is stored and sent as NFC, white space at the ends included', async () => {
    const roomId = await newRoom(ben);
    const message = await ana.send(roomId, ' cafe\u0301\n');
    assert.equal(message.content, ' caf\u00e9\n');
    const heard = await ben.waitFor('message:new', (one) => one.roomId === roomId);
    assert.equal(heard.content, ' caf\u00e9\n');
  });

  test('is text: markup, quotes and right-to-left marks come back as they are', async () => {
    const roomId = await newRoom();
    for (const content of ['<b>&amp;', "';--", '\u202eabc', '{{7*7}}', '\\u0041', '\ufffd\ufffe', '\u0001\u007f']) {
      assert.equal((await ana.send(roomId, content)).content, content);
    }
  });

  test('is 1 to MAX_MESSAGE_LENGTH code points, counted after NFC and trimming', async () => {
    const roomId = await newRoom();
    const family = '👨‍👩‍👧'; // five code points
    for (const content of [
      'x'.repeat(10),
      '🙂'.repeat(10),
      family.repeat(2),
      'e\u0301'.repeat(10),
      `${' '.repeat(500)}${'x'.repeat(10)}\n\t\u00a0`,
    ]) {
      assert.equal((await ana.send(roomId, content)).content, content.normalize('NFC'));
    }
    for (const content of [
      'x'.repeat(11),
      '🙂'.repeat(11),
      `${family.repeat(2)}x`,
      'x\u0301'.repeat(6),
      'x'.repeat(100_000),
    ]) {
      await ana.refused('message:send', { roomId, content, clientMsgId: randomUUID() }, 'MESSAGE_TOO_LONG');
      const body = { content, clientMsgId: randomUUID() };
      await callRefused(there, 'roomMessagesPost', 'MESSAGE_TOO_LONG', { token: anas, params: { id: roomId }, body });
    }
  });

  test('blank, missing, unstorable or of another type it is VALIDATION_ERROR', async () => {
    const roomId = await newRoom();
    const contents = [
      '',
      ' ',
      '\n\t\u00a0\u2003',
      'a\u0000b',
      '\ud800',
      'a\udfff',
      undefined,
      null,
      7,
      ['a'],
      { a: 1 },
    ];
    for (const content of contents) {
      const { details } = await ana.refused('message:send', { roomId, content, clientMsgId: 'x' }, 'VALIDATION_ERROR');
      assert.equal(Array.isArray(details) && details[0]?.path, 'content');
    }
    assert.equal((await ana.send(roomId, 'first')).seq, 1);
  });
});

describe('clientMsgId', () => {
  test('is 1 to 64 characters, kept as it is', async () => {
    const roomId = await newRoom();
    for (const clientMsgId of ['a', 'x'.repeat(64), '🙂'.repeat(64), ' a ', 'cafe\u0301', 'caf\u00e9', '%', "'"]) {
      const { message, duplicate } = await ana.ok('message:send', { roomId, content: 'x', clientMsgId });
      assert.deepEqual([message.clientMsgId, duplicate], [clientMsgId, false]);
    }
    for (const clientMsgId of ['', 'x'.repeat(65), 7, null, undefined, 'a\u0000', ['a']]) {
      await ana.refused('message:send', { roomId, content: 'x', clientMsgId }, 'VALIDATION_ERROR');
    }
  });

  test('makes a retry the same message, over any replica, with any content', async () => {
    const roomId = await newRoom(ben);
    const device = await connect({ after }, there, 'ana', { token: anas });
    const payload = { roomId, content: 'first', clientMsgId: 'retry' };
    const first = await ana.ok('message:send', payload);
    await ben.send(roomId, 'between');
    for (const client of [ana, device]) {
      const again = await client.ok('message:send', { ...payload, content: 'other', replyTo: 1 });
      assert.deepEqual(again, { message: first.message, duplicate: true });
    }
    assert.equal((await ana.send(roomId, 'next')).seq, 3);
  });

  test('brings the stored message whole: its rev, its edit and its reactions', async () => {
    const roomId = await newRoom(ben);
    const payload = { roomId, content: 'first', clientMsgId: 'retry' };
    const { message } = await ana.ok('message:send', payload);
    await ana.ok('message:edit', { roomId, seq: message.seq, content: 'edited' });
    await ben.ok('message:react', { roomId, seq: message.seq, emoji: '👍', on: true });
    const again = await ana.ok('message:send', payload);
    assert.deepEqual(again.message.reactions, [{ emoji: '👍', count: 1, userIds: ['ben'] }]);
    const { messages } = await ben.ok('message:history', { roomId });
    assert.deepEqual(again, { message: messages[0], duplicate: true });
    const { roomId: id, ...body } = payload;
    assert.deepEqual(
      await callOk(there, 'roomMessagesPost', { token: anas, params: { id }, body, status: 200 }),
      again,
    );
  });

  test('is a key of the room and the sender, not of all', async () => {
    const [roomId, otherId] = [await newRoom(ben), await newRoom()];
    const clientMsgId = 'shared';
    const answers = [
      await ana.ok('message:send', { roomId, content: 'a', clientMsgId }),
      await ben.ok('message:send', { roomId, content: 'b', clientMsgId }),
      await ana.ok('message:send', { roomId: otherId, content: 'c', clientMsgId }),
    ];
    assert.deepEqual(
      answers.map(({ duplicate, message }) => [duplicate, message.content, message.seq]),
      [
        [false, 'a', 1],
        [false, 'b', 2],
        [false, 'c', 1],
      ],
    );
  });
});

test('what one socket sends to one room without waiting gets its seq in that order', async () => {
  const roomId = await newRoom(ben);
  const count = 300;
  const contents = Array.from({ length: count }, (_, index) => `n${index}`);
  const sent = await Promise.all(contents.map((content) => ana.send(roomId, content)));
  assert.deepEqual(
    sent.map(({ seq, content }) => [seq, content]),
    contents.map((content, index) => [index + 1, content]),
  );
  const others = await Promise.all(
    contents.map((_, index) =>
      ben.ok('message:send', {
        roomId,
        // Good and bad ones in turn: what fails takes no place.
        content: index % 2 === 0 ? `b${index}` : 'b',
        clientMsgId: index % 2 === 0 ? `id${index}` : 'id0',
      }),
    ),
  );
  const seqs = others.filter(({ duplicate }) => !duplicate).map(({ message }) => message.seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => count + 1 + index),
  );
  assert.equal(seqs.length, count / 2);
});

test('the same bodies over REST: a room’s messages, sent and read by a bot', async () => {
  const roomId = await newRoom();
  const params = { id: roomId };
  for (let seq = 1; seq <= 3; seq += 1) {
    const body = { content: `n${seq}`, clientMsgId: `c${seq}` };
    const answer = await call(seq % 2 === 0 ? here : there, 'roomMessagesPost', { token: anas, params, body });
    assert.equal(answer.status, 201);
  }
  const page = await callOk(there, 'roomMessagesGet', { token: anas, params });
  assert.deepEqual(page, await ana.ok('message:history', { roomId }));
  assert.deepEqual(
    page.messages.map(({ content }) => content),
    ['n1', 'n2', 'n3'],
  );
});
