import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childGateways } from '../support/child-gateways.ts';
import { connect } from '../support/client.ts';

// Contract, section 7, guarantee 6, when a gateway can't be asked at the time of a ban.

test('a gateway that is paused during a ban tells the banned nothing of what came after it', async (t) => {
  const processes = await childGateways(t);
  const [one, paused] = await Promise.all([processes.start(), processes.start()]);
  const [owner, pest] = [await connect(t, one, 'owner'), await connect(t, paused, 'pest')];
  const { room } = await owner.ok('room:create', { name: 'Paused' });
  await pest.ok('room:join', { roomId: room.id });
  paused.process.kill('SIGSTOP');
  await owner.ok('member:ban', { roomId: room.id, userId: 'pest', on: true });
  const marker = await owner.send(room.id, 'after the ban');
  paused.process.kill('SIGCONT');
  await pest.waitFor('room:removed', ({ reason }) => reason === 'banned');
  const beside = await owner.ok('room:create', { name: 'Beside the paused' });
  await pest.ok('room:join', { roomId: beside.room.id });
  await owner.send(beside.room.id, 'barrier');
  await pest.waitFor('message:new', ({ roomId }) => roomId === beside.room.id);
  const late = pest.all('message:new').filter(({ roomId, seq }) => roomId === room.id && seq >= marker.seq);
  assert.deepEqual(late, []);
  await pest.refused('room:join', { roomId: room.id }, 'FORBIDDEN');
});
