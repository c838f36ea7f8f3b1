import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Every act in a room is written down with it, and its owners can read that.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const owner = await connect({ after }, here, 'owner', { token: await token('owner', { name: 'Olga' }) });
const mod = await connect({ after }, there, 'mod', { token: await token('mod', { name: 'Moe' }) });
const ben = await connect({ after }, there, 'ben', { token: await token('ben', { name: 'Ben' }) });
const owners = await token('owner');

async function auditOf(roomId: string, by = owners) {
  const { entries } = await callOk(there, 'roomAuditGet', { token: by, params: { id: roomId } });
  return entries;
}

test('each act once, the latest first, with who, whom and what; refused and idle requests leave nothing', async () => {
  const { room } = await owner.ok('room:create', { name: 'Watched', kind: 'private' });
  const roomId = room.id;
  const target = { roomId, userId: 'ben' };
  await owner.ok('member:add', { roomId, userId: 'mod' });
  await owner.ok('member:add', { roomId, userId: 'mod' });
  await owner.ok('member:role', { roomId, userId: 'mod', role: 'moderator' });
  await owner.ok('member:role', { roomId, userId: 'mod', role: 'moderator' });
  await mod.ok('member:add', target);
  await ben.refused('member:ban', { roomId, userId: 'mod', on: true }, 'FORBIDDEN');
  await ben.send(roomId, 'rude');
  await ben.send(roomId, 'regretted');
  await mod.ok('message:delete', { roomId, seq: 1 });
  await mod.ok('message:delete', { roomId, seq: 1 });
  await ben.ok('message:delete', { roomId, seq: 2 });
  await mod.ok('member:mute', { ...target, forMs: 60_000 });
  await mod.ok('member:mute', { ...target, forMs: 0 });
  await mod.ok('member:mute', { ...target, forMs: 0 });
  await mod.ok('member:remove', target);
  await mod.ok('member:ban', { ...target, on: true, reason: 'Rude' });
  await mod.ok('member:ban', { ...target, on: true, reason: 'Again' });
  await owner.ok('member:ban', { ...target, on: false });
  await owner.ok('member:ban', { ...target, on: false });
  await callOk(here, 'roomPatch', { token: owners, params: { id: roomId }, body: { topic: 'Peace', name: 'Watched' } });
  await owner.ok('member:remove', { roomId, userId: 'owner' });

  const entries = await auditOf(roomId, await token('mod'));
  assert.deepEqual(
    entries.toReversed().map(({ act, actor, target: whom, details }) => [actor.name, act, whom?.name, details]),
    [
      ['Olga', 'member:add', 'Moe', {}],
      ['Olga', 'member:role', 'Moe', { role: 'moderator', before: 'member' }],
      ['Moe', 'member:add', 'Ben', {}],
      ['Moe', 'message:delete', 'Ben', { seq: 1 }],
      ['Moe', 'member:mute', 'Ben', { forMs: 60_000 }],
      ['Moe', 'member:mute', 'Ben', { forMs: 0 }],
      ['Moe', 'member:remove', 'Ben', {}],
      ['Moe', 'member:ban', 'Ben', { reason: 'Rude' }],
      ['Olga', 'member:unban', 'Ben', {}],
      ['Olga', 'room:change', undefined, { topic: 'Peace' }],
      ['Olga', 'member:leave', 'Olga', {}],
      ['Olga', 'member:role', 'Moe', { role: 'owner', because: 'the last owner left' }],
    ],
  );
  const times = entries.map(({ at }) => Date.parse(at));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
});

test('owners read it, in pages; nobody else', async () => {
  const { room } = await owner.ok('room:create', { name: 'Paged' });
  const [roomId, params] = [room.id, { id: room.id }];
  await owner.ok('member:add', { roomId, userId: 'mod' });
  await owner.ok('member:role', { roomId, userId: 'mod', role: 'moderator' });
  for (let time = 1; time <= 5; time += 1) await owner.ok('member:mute', { roomId, userId: 'mod', forMs: time });
  const all = await auditOf(roomId);
  const paged: typeof all = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 3, ...(cursor !== undefined && { cursor }) };
    const page = await callOk(here, 'roomAuditGet', { token: owners, params, query });
    assert.ok(page.entries.length <= 3);
    paged.push(...page.entries);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  assert.equal(all.length, 7);
  assert.deepEqual(paged, all);
  await callRefused(here, 'roomAuditGet', 'FORBIDDEN', { token: await token('mod'), params });
  await callRefused(here, 'roomAuditGet', 'NOT_A_MEMBER', { token: await token('ben'), params });
  await callRefused(here, 'roomAuditGet', 'UNAUTHORIZED', { params });
  await callRefused(here, 'roomAuditGet', 'VALIDATION_ERROR', { token: owners, params, query: { cursor: 'x' } });
});
