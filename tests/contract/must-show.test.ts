import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endpoints } from '@parley/protocol';
import { eventually } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { startGateways } from '../support/gateways.ts';
import { call, callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 7, guarantees 1 to 4, with many senders at once over three gateways.

const gateways = await startGateways({ after }, 3);
const { db } = lookInto({ after }, gateways.databaseUrl);

/** `count` clients of as many users, spread over the gateways, who all hear the room. */
async function crowdIn(roomId: string, count: number, nameOf: (index: number) => string): Promise<Client[]> {
  const crowd = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const gateway = gateways.all[index % gateways.all.length];
      assert.ok(gateway);
      return connect({ after }, gateway, nameOf(index));
    }),
  );
  await Promise.all(crowd.map((client) => client.ok('room:join', { roomId })));
  return crowd;
}

async function newRoom(name: string): Promise<string> {
  const owner = await connect({ after }, { url: gateways.all[0]?.url ?? '' }, 'owner');
  const { room } = await owner.ok('room:create', { name });
  owner.close();
  return room.id;
}

test('1,000 sends at once into one room: 1,000 rows, seq 1 to 1,000, every answer right', async () => {
  const roomId = await newRoom('Thousand');
  const crowd = await crowdIn(roomId, 30, (index) => `user${index}`);
  const sends = Array.from({ length: 1_000 }, (_, index) => {
    const sender = crowd[index % crowd.length];
    assert.ok(sender);
    return { sender, content: `content ${index}`, clientMsgId: `id-${index}` };
  });
  const answers = await Promise.all(
    sends.map(({ sender, content, clientMsgId }) => sender.ok('message:send', { roomId, content, clientMsgId })),
  );

  answers.forEach(({ message, duplicate }, index) => {
    const sent = sends[index];
    assert.equal(duplicate, false);
    assert.deepEqual(
      [message.roomId, message.content, message.clientMsgId, message.sender.id],
      [roomId, sent?.content, sent?.clientMsgId, sent?.sender.userId],
    );
  });
  const bySeq = answers.map(({ message }) => message).toSorted((a, b) => a.seq - b.seq);
  assert.deepEqual(
    bySeq.map(({ seq }) => seq),
    Array.from({ length: 1_000 }, (_, index) => index + 1),
  );
  for (const client of crowd) {
    const own = answers.filter((_, index) => sends[index]?.sender === client).map(({ message }) => message.seq);
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
      'a sender’s order was not kept',
    );
  }

  const rows = await db.selectFrom('messages').where('room_id', '=', roomId).selectAll().orderBy('seq').execute();
  assert.equal(rows.length, 1_000);
  assert.deepEqual(
    rows.map(({ id, seq, content, sender_id }) => [id, seq, content, sender_id]),
    bySeq.map(({ id, seq, content, sender }) => [id, seq, content, sender.id]),
  );

  // Every socket hears the others' messages once each, as they are stored.
  await Promise.all(
    crowd.map(async (client) => {
      const expected = bySeq.filter(({ sender }) => sender.id !== client.userId);
      const heard = await eventually(() => {
        const messages = client.all('message:new');
        assert.ok(messages.length >= expected.length, `${messages.length} of ${expected.length}`);
        return messages;
      });
      assert.deepEqual(
        heard.toSorted((a, b) => a.seq - b.seq),
        expected,
      );
    }),
  );
  const jwt = await token('user0');
  const pages: number[] = [];
  for (let from = 0; from < 1_000; from += 100) {
    const query = { after: from, limit: 100 };
    const gateway = gateways.all[(from / 100) % 3] ?? { url: '' };
    const { messages, hasMore } = await callOk(gateway, 'roomMessagesGet', {
      token: jwt,
      params: { id: roomId },
      query,
    });
    assert.equal(hasMore, from < 900);
    pages.push(...messages.map(({ seq }) => seq));
  }
  assert.deepEqual(
    pages,
    bySeq.map(({ seq }) => seq),
  );
});

test('the same clientMsgId 50 times at once over three gateways: one row, 50 equal answers', async () => {
  const roomId = await newRoom('Fifty');
  const [listener] = await crowdIn(roomId, 1, () => 'listener');
  const devices = await crowdIn(roomId, 9, () => 'ana');
  assert.ok(listener);
  const payload = { roomId, content: 'once', clientMsgId: 'the-same' };
  const jwt = await token('ana');
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      if (index % 10 !== 9) return (devices[index % devices.length] as Client).ok('message:send', payload);
      const gateway = gateways.all[index % 3] ?? { url: '' };
      const { roomId: id, ...body } = payload;
      const answer = await call(gateway, 'roomMessagesPost', { token: jwt, params: { id }, body });
      const sent = endpoints.roomMessagesPost.response.parse(answer.json());
      assert.equal(answer.status, sent.duplicate ? 200 : 201);
      return sent;
    }),
  );
  const [first] = answers;
  assert.ok(first);
  for (const { message } of answers) assert.deepEqual(message, first.message);
  assert.equal(answers.filter(({ duplicate }) => !duplicate).length, 1);
  assert.equal(first.message.seq, 1);
  const rows = await db.selectFrom('messages').where('room_id', '=', roomId).select('id').execute();
  assert.deepEqual(rows, [{ id: first.message.id }]);

  const markers = await Promise.all(devices.slice(0, 3).map((device, index) => device.send(roomId, `marker ${index}`)));
  assert.deepEqual(markers.map(({ seq }) => seq).toSorted(), [2, 3, 4]);
  await eventually(() => assert.ok(listener.contents(roomId).length >= 4));
  assert.deepEqual(listener.contents(roomId).toSorted(), ['marker 0', 'marker 1', 'marker 2', 'once']);
});
