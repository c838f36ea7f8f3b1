import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { connect } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// An extension of the contract: members report messages, moderators and owners see and close the reports.

const NOWHERE = '01985d3c-7c00-7abc-8def-0123456789ab';

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const { db } = lookInto({ after }, gateways.databaseUrl);
const ana = await connect({ after }, here, 'ana', { token: await token('ana', { name: 'Ana' }) });
const ben = await connect({ after }, there, 'ben', { token: await token('ben', { name: 'Ben' }) });
const cat = await connect({ after }, there, 'cat');
const tokens = { ana: await token('ana'), ben: await token('ben'), cat: await token('cat'), dan: await token('dan') };

/** A room of ana's with ben and cat, and `count` messages of ben's. */
async function roomWithMessages(count: number, kind: 'public' | 'private' = 'public'): Promise<string> {
  const { room } = await ana.ok('room:create', { name: randomUUID(), kind });
  for (const userId of ['ben', 'cat']) await ana.ok('member:add', { roomId: room.id, userId });
  for (let index = 1; index <= count; index += 1) await ben.send(room.id, `message ${index}`);
  return room.id;
}

const reportsOf = async (roomId: string, as: keyof typeof tokens = 'ana', query = {}) =>
  callOk(here, 'roomReportsGet', { token: tokens[as], params: { id: roomId }, query });

describe('message:report', () => {
  test('brings the message before owners and moderators, with who and why', async () => {
    const roomId = await roomWithMessages(2);
    const before = Date.now();
    assert.deepEqual(await cat.ok('message:report', { roomId, seq: 2, reason: '  Spam ' }), {});
    const { reports, nextCursor } = await reportsOf(roomId);
    assert.equal(nextCursor, undefined);
    const [{ id, createdAt, ...report }] = reports as [(typeof reports)[0]];
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(Date.parse(createdAt) - before) < 60_000);
    const { messages } = await ana.ok('message:history', { roomId });
    assert.deepEqual(report, { reporter: { id: 'cat', name: 'cat' }, reason: 'Spam', message: messages[1] });
    await ana.ok('member:role', { roomId, userId: 'ben', role: 'moderator' });
    assert.deepEqual(await reportsOf(roomId, 'ben'), { reports });
  });

  test('again is no error and no second report, at once and after it was closed', async () => {
    const roomId = await roomWithMessages(1);
    const report = { roomId, seq: 1 };
    await Promise.all([cat, cat, ana].map((client) => client.ok('message:report', report)));
    const { reports } = await reportsOf(roomId);
    assert.deepEqual(reports.map(({ reporter }) => reporter.id).toSorted(), ['ana', 'cat']);
    assert.ok(reports.every((one) => !('reason' in one)));
    for (const { id } of reports) {
      await callOk(there, 'roomReportResolve', { token: tokens.ana, params: { id: roomId, reportId: id } });
    }
    await cat.ok('message:report', report);
    assert.deepEqual((await reportsOf(roomId)).reports, []);
  });

  test('is for members; a private room does not exist for others', async () => {
    const open = await roomWithMessages(1);
    const hidden = await roomWithMessages(1, 'private');
    const dan = await connect({ after }, there, 'dan');
    await dan.refused('message:report', { roomId: open, seq: 1 }, 'NOT_A_MEMBER');
    const answers = [];
    for (const roomId of [hidden, NOWHERE])
      answers.push(await dan.refused('message:report', { roomId, seq: 1 }, 'NOT_FOUND'));
    assert.deepEqual(answers[0], answers[1]);
    assert.deepEqual((await reportsOf(hidden)).reports, []);
  });

  test('of no message is NOT_FOUND, of a deleted one CONFLICT', async () => {
    const roomId = await roomWithMessages(1);
    await cat.refused('message:report', { roomId, seq: 2 }, 'NOT_FOUND');
    await ben.ok('message:delete', { roomId, seq: 1 });
    await cat.refused('message:report', { roomId, seq: 1 }, 'CONFLICT');
    for (const bad of [{}, { roomId }, { roomId, seq: 0 }, { roomId, seq: 1, reason: 'x'.repeat(501) }]) {
      await cat.refused('message:report', bad, 'VALIDATION_ERROR');
    }
  });

  test('in a direct room is FORBIDDEN: nobody moderates it', async () => {
    const { room } = await ana.ok('direct:open', { userId: 'ben' });
    const { seq } = await ben.send(room.id, 'between us');
    await ana.refused('message:report', { roomId: room.id, seq }, 'FORBIDDEN');
    await callRefused(here, 'roomReportsGet', 'FORBIDDEN', { token: tokens.ana, params: { id: room.id } });
  });

  test('nobody fills the list: at most 100 open reports of a member in a room', async () => {
    const roomId = await roomWithMessages(101);
    for (let seq = 1; seq <= 100; seq += 1) await cat.ok('message:report', { roomId, seq });
    await cat.refused('message:report', { roomId, seq: 101 }, 'CONFLICT');
    await ana.ok('message:report', { roomId, seq: 101 });
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await reportsOf(roomId, 'ana', { limit: 40, ...(cursor !== undefined && { cursor }) });
      assert.ok(page.reports.length <= 40);
      seen.push(...page.reports.map(({ message }) => message.seq));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.deepEqual(
      seen,
      Array.from({ length: 101 }, (_, index) => index + 1),
      'oldest first, each once',
    );
  });
});

describe('the list of reports', () => {
  test('is for moderators and owners', async () => {
    const roomId = await roomWithMessages(1);
    const params = { id: roomId };
    await callRefused(here, 'roomReportsGet', 'FORBIDDEN', { token: tokens.cat, params });
    await callRefused(here, 'roomReportsGet', 'NOT_A_MEMBER', { token: tokens.dan, params });
    await callRefused(here, 'roomReportsGet', 'NOT_FOUND', { token: tokens.ana, params: { id: NOWHERE } });
    await callRefused(here, 'roomReportsGet', 'UNAUTHORIZED', { params });
    await callRefused(here, 'roomReportsGet', 'VALIDATION_ERROR', {
      token: tokens.ana,
      params,
      query: { cursor: 'x' },
    });
  });

  test('shows messages as they are now, also deleted ones', async () => {
    const roomId = await roomWithMessages(1);
    await cat.ok('message:report', { roomId, seq: 1 });
    await ben.ok('message:delete', { roomId, seq: 1 });
    const { reports } = await reportsOf(roomId);
    assert.equal(reports[0]?.message.content, '');
    assert.ok(reports[0]?.message.deletedAt);
  });
});

describe('closing a report', () => {
  test('takes it from the list, at both gateways; again is no error', async () => {
    const roomId = await roomWithMessages(2);
    for (const seq of [1, 2]) await cat.ok('message:report', { roomId, seq });
    const [first, second] = (await reportsOf(roomId)).reports;
    const params = { id: roomId, reportId: first?.id ?? '' };
    for (const gateway of [there, here]) {
      assert.equal(await callOk(gateway, 'roomReportResolve', { token: tokens.ana, params }), undefined);
    }
    assert.deepEqual((await reportsOf(roomId)).reports, [second]);
    const row = await db
      .selectFrom('message_reports')
      .selectAll()
      .where('id', '=', first?.id ?? '')
      .executeTakeFirst();
    assert.equal(row?.resolved_by, 'ana');
    const { entries } = await callOk(here, 'roomAuditGet', { token: tokens.ana, params: { id: roomId } });
    const closings = entries.filter(({ act }) => act === 'report:resolve');
    assert.deepEqual(
      closings.map(({ actor, target, details }) => [actor.id, target?.id, details]),
      [['ana', 'cat', { seq: first?.message.seq }]],
      'written down once',
    );
  });

  test('is for moderators and owners of that room', async () => {
    const [roomId, other] = [await roomWithMessages(1), await roomWithMessages(1)];
    await cat.ok('message:report', { roomId, seq: 1 });
    const [report] = (await reportsOf(roomId)).reports;
    const reportId = report?.id ?? '';
    await callRefused(here, 'roomReportResolve', 'FORBIDDEN', { token: tokens.cat, params: { id: roomId, reportId } });
    await callRefused(here, 'roomReportResolve', 'NOT_FOUND', { token: tokens.ana, params: { id: other, reportId } });
    await callRefused(here, 'roomReportResolve', 'NOT_FOUND', {
      token: tokens.ana,
      params: { id: roomId, reportId: NOWHERE },
    });
    assert.equal((await reportsOf(roomId)).reports.length, 1);
  });
});
