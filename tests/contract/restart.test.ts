import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { childGateways } from '../support/child-gateways.ts';
import { connect } from '../support/client.ts';
import { callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 7: what was acknowledged outlives any gateway.

const gateways = await childGateways({ after });

test('history and seq go on after a gateway was killed, and others do not notice', async (t) => {
  const [dying, staying] = await Promise.all([gateways.start(), gateways.start()]);
  const ana = await connect(t, dying, 'ana', { token: await token('ana', { name: 'Ana' }) });
  const ben = await connect(t, staying, 'ben');
  const { room } = await ana.ok('room:create', { name: 'Phoenix', topic: 'Ashes' });
  await ben.ok('room:join', { roomId: room.id });
  const sent = [];
  for (let seq = 1; seq <= 5; seq += 1) sent.push(await ana.send(room.id, `m${seq}`, { clientMsgId: `c${seq}` }));
  await ben.waitFor('message:new', ({ seq }) => seq === 5);

  dying.process.kill('SIGKILL');
  await dying.process.exited;
  await ana.disconnected();
  await ben.send(room.id, 'm6');
  const risen = await gateways.start();
  const back = await connect(t, risen, 'ana');
  assert.equal(back.all('session:ready')[0]?.user.name, 'Ana');
  const joined = await back.ok('room:join', { roomId: room.id });
  assert.deepEqual(joined.messages.slice(0, 5), sent);
  assert.deepEqual(joined.room.me, { role: 'owner', lastReadSeq: 5, unread: 1 });
  assert.deepEqual([joined.room.headSeq, joined.room.topic, joined.room.memberCount], [6, 'Ashes', 2]);
  const retry = await back.ok('message:send', { roomId: room.id, content: 'm5', clientMsgId: 'c5' });
  assert.deepEqual(retry, { message: sent[4], duplicate: true });
  assert.equal((await back.send(room.id, 'm7')).seq, 7);
  await ben.waitFor('message:new', ({ seq }) => seq === 7);
  assert.deepEqual(ben.disconnects, []);
});

test('a gateway killed under load: what was acknowledged is there, and retries find their place', async (t) => {
  const [dying, staying] = await Promise.all([gateways.start(), gateways.start()]);
  const sender = await connect(t, dying, 'sender');
  const { room } = await sender.ok('room:create', { name: 'Load' });
  const payloads = Array.from({ length: 400 }, (_, index) => ({
    roomId: room.id,
    content: `content ${index}`,
    clientMsgId: `id-${index}`,
  }));
  const acked = new Map<string, number>();
  for (const payload of payloads) {
    void sender
      .ok('message:send', payload)
      .then(({ message }) => acked.set(message.clientMsgId, message.seq))
      .catch(() => {}); // those are sent again
  }
  await eventually(() => assert.ok(acked.size > 0), { everyMs: 1 });
  dying.process.kill('SIGKILL');
  await sender.disconnected();
  const ackedBefore = new Map(acked);

  const again = await connect(t, staying, 'sender');
  const answers = await Promise.all(payloads.map((payload) => again.ok('message:send', payload)));
  answers.forEach(({ message, duplicate }, index) => {
    assert.equal(message.content, `content ${index}`);
    const seq = ackedBefore.get(message.clientMsgId);
    if (seq !== undefined) assert.deepEqual([message.seq, duplicate], [seq, true]);
  });
  const seqs = answers.map(({ message }) => message.seq).toSorted((a, b) => a - b);
  assert.deepEqual(
    seqs,
    payloads.map((_, index) => index + 1),
  );
});

test('SIGTERM ends with exit code 0; accounts, sessions and rooms are there after a start of all', async (t) => {
  const first = await gateways.start();
  const body = { username: 'survivor', password: 'correct horse' };
  const { user, accessToken } = await callOk(first, 'authRegister', { body });
  const { room } = await callOk(first, 'roomsPost', { token: accessToken, body: { name: 'Ark', kind: 'private' } });
  const client = await connect(t, first, 'survivor', { token: accessToken });
  assert.deepEqual(await first.process.stop('SIGTERM'), { code: 0, signal: null });
  assert.equal(client.all('session:ended')[0]?.code, 'SERVER_DRAIN');
  assert.deepEqual(first.faults(), []);

  const second = await gateways.start();
  assert.equal((await callOk(second, 'authLogin', { body })).user.id, user.id);
  const { rooms } = await callOk(second, 'roomsGet', { token: accessToken, query: { scope: 'mine' } });
  assert.deepEqual(
    rooms.map(({ id }) => id),
    [room.id],
  );
});
