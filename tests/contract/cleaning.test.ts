import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { cleanUp } from '../../services/gateway/src/features/cleaning/cleaning.ts';
import { CLEANING_LOCK } from '../../services/gateway/src/features/cleaning/cleaning.sql.ts';
import { createLog } from '../../services/gateway/src/platform/log.ts';
import { Metrics } from '../../services/gateway/src/platform/metrics.ts';
import { connect } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways, type TestGateway } from '../support/gateways.ts';
import { call, callOk, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// What is left over is removed by one replica at a time, and nothing else is. Time passes by rows that get older.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KINDS = 10;

const ago = (ms: number) => new Date(Date.now() - ms);

/** The job is started by the clock of two gateways in the last part; before that by hand. */
const gateways = await startGateways({ after }, 2, { CLEANUP_EVERY: 'off' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const { db, pool } = lookInto({ after }, gateways.databaseUrl);
const { pool: watching } = lookInto({ after }, gateways.databaseUrl);
const { pool: otherPool } = lookInto({ after }, gateways.databaseUrl);
const log = createLog({ level: 'silent', name: 'test' });
const ana = await connect({ after }, here, 'ana');
const ben = await connect({ after }, there, 'ben');

const config = { ROOM_EMPTY_TTL: DAY as number | null, AUDIT_TTL: (90 * DAY) as number | null };

/** One round of a replica: how many of what it removed. */
async function clean(settings = config): Promise<Record<string, number>> {
  const metrics = new Metrics();
  await cleanUp({ db, config: settings, metrics, log }, new AbortController().signal);
  const { values } = await metrics.cleaned.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.what, value]));
}

type Query = (text: string, values: unknown[]) => Promise<unknown>;

/** On a connection of its own; commits when `work` is done. */
async function inTransaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
  const client = await otherPool.connect();
  try {
    await client.query('begin');
    const done = await work((text, values) => client.query(text, values));
    await client.query('commit');
    return done;
  } finally {
    client.release(true);
  }
}

/** Waits until so many connections of this database wait for a lock. */
function waitersForLocks(count: number): Promise<void> {
  return eventually(async () => {
    const { rows } = await watching.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    assert.equal(rows[0]?.count, count);
  });
}

/** A public room of that name that everybody has left. */
async function desertedRoom(name: string, emptyForMs: number, { messages = 0 } = {}): Promise<string> {
  const { room } = await ana.ok('room:create', { name });
  for (let index = 0; index < messages; index += 1) await ana.send(room.id, 'still here');
  await callOk(here, 'roomLeaveDelete', { token: await token('ana'), params: { id: room.id } });
  await pool.query('update rooms set emptied_at = $1 where id = $2 and emptied_at is not null', [
    ago(emptyForMs),
    room.id,
  ]);
  return room.id;
}

const exists = async (roomId: string) =>
  (await db.selectFrom('rooms').where('id', '=', roomId).select('id').executeTakeFirst()) !== undefined;

describe('rooms without members and messages', () => {
  test('are removed after ROOM_EMPTY_TTL, and their name is free', async () => {
    const old = await desertedRoom('Old', DAY + HOUR);
    const young = await desertedRoom('Young', DAY - HOUR);
    assert.deepEqual(await clean(), { 'empty rooms': 1 });
    assert.deepEqual([await exists(old), await exists(young)], [false, true]);
    await ben.refused('room:join', { roomId: old }, 'NOT_FOUND');
    const { room } = await ben.ok('room:create', { name: 'Old' });
    assert.notEqual(room.id, old);
  });

  test('stay while they hold messages, or have a member', async () => {
    const spoken = await desertedRoom('Spoken in', 365 * DAY, { messages: 1 });
    const { room } = await ana.ok('room:create', { name: 'Inhabited' });
    await pool.query('update rooms set created_at = $1', [ago(365 * DAY)]);
    assert.deepEqual(await clean(), {});
    assert.deepEqual([await exists(spoken), await exists(room.id)], [true, true]);
  });

  test('are counted from the last leaving: a room that was joined meanwhile stays', async () => {
    const roomId = await desertedRoom('Back again', 2 * DAY);
    await ben.ok('room:join', { roomId });
    assert.deepEqual(await clean(), {});
    await callOk(here, 'roomLeaveDelete', { token: await token('ben'), params: { id: roomId } });
    assert.deepEqual(await clean(), {}, 'it is empty since a moment');
    assert.ok(await exists(roomId));
  });

  test('stay for ever with ROOM_EMPTY_TTL=off', async () => {
    const roomId = await desertedRoom('For ever', 365 * DAY);
    assert.deepEqual(await clean({ ...config, ROOM_EMPTY_TTL: null }), {});
    assert.ok(await exists(roomId));
    assert.deepEqual(await clean(), { 'empty rooms': 1 });
  });

  test('one that is being joined is passed over, and there afterwards', async () => {
    const roomId = await desertedRoom('Being joined', 2 * DAY);
    const round = await inTransaction(async (query) => {
      await query('select 1 from rooms where id = $1 for no key update', [roomId]);
      const cleaning = clean();
      await Promise.race([cleaning, waitersForLocks(1)]);
      await query("insert into members (room_id, user_id) values ($1, 'ben')", [roomId]);
      await query('update rooms set member_count = member_count + 1 where id = $1', [roomId]);
      return { cleaning };
    });
    assert.deepEqual(await round.cleaning, {});
    assert.deepEqual(await clean(), {});
    const { members } = await ana.ok('room:members', { roomId });
    assert.deepEqual(
      members.map(({ id }) => id),
      ['ben'],
    );
  });

  test('one that is being removed: a join by its id is NOT_FOUND, by its name with create a new room', async () => {
    const roomId = await desertedRoom('Contested', 2 * DAY);
    const cats = await token('cat');
    const { byId, byName, byRest } = await inTransaction(async (query) => {
      await query('delete from rooms where id = $1', [roomId]);
      const joins = {
        byId: ana.request('room:join', { roomId }),
        byName: ben.request('room:join', { name: 'contested', create: true }),
        byRest: call(there, 'roomJoinPost', { token: cats, params: { id: roomId }, body: {} }),
      };
      await waitersForLocks(3);
      return joins;
    });
    const refused = await byId;
    assert.ok(!refused.ok && refused.error.code === 'NOT_FOUND', JSON.stringify(refused));
    errorOf(await byRest, 'NOT_FOUND');
    const joined = await byName;
    assert.ok(joined.ok, JSON.stringify(joined));
    const { room } = joined.data as { room: { id: string; name: string; me: { role: string } } };
    assert.notEqual(room.id, roomId);
    assert.deepEqual([room.name, room.me.role], ['contested', 'owner']);
  });
});

/** One of each kind that has to go, and one of each that has to stay. */
async function leaveThings(): Promise<void> {
  const { room } = await ana.ok('room:create', { name: randomUUID() });
  const roomId = room.id;
  await ben.ok('room:join', { roomId });
  for (let index = 0; index < 3; index += 1) await ana.send(roomId, 'reported');
  await desertedRoom(randomUUID(), 2 * DAY);
  const users = ['old', 'young', 'never'].map((name) => `${name}-${randomUUID()}`);
  await db
    .insertInto('users')
    .values(users.map((id) => ({ id, name: id })))
    .execute();
  const [old = '', young = '', never = ''] = users;
  await db
    .insertInto('room_bans')
    .values([
      { room_id: roomId, user_id: old, banned_by: 'ana', expires_at: ago(HOUR) },
      { room_id: roomId, user_id: young, banned_by: 'ana', expires_at: ago(-HOUR) },
      { room_id: roomId, user_id: never, banned_by: 'ana' },
    ])
    .execute();
  await db
    .insertInto('members')
    .values([
      { room_id: roomId, user_id: old, muted_until: ago(1_000) },
      { room_id: roomId, user_id: young, muted_until: ago(-HOUR) },
    ])
    .execute();
  for (const days of [89, 91]) {
    await pool.query("insert into audit_log (room_id, actor_id, act, at) values ($1, 'ana', 'test', $2)", [
      roomId,
      ago(days * DAY),
    ]);
  }
  await db
    .insertInto('message_reports')
    .values(
      [ago(91 * DAY), ago(HOUR), null].map((resolvedAt, index) => ({
        id: randomUUID(),
        room_id: roomId,
        seq: index + 1,
        reporter_id: 'ben',
        resolved_at: resolvedAt,
      })),
    )
    .execute();
  const [expired, live] = [randomUUID(), randomUUID()];
  await db
    .insertInto('sessions')
    .values([
      { id: expired, user_id: old, expires_at: ago(8 * DAY) },
      { id: live, user_id: old, expires_at: ago(6 * DAY) },
    ])
    .execute();
  await db
    .insertInto('refresh_tokens')
    .values([
      { token_hash: randomBytes(32), session_id: live, used_at: ago(61 * DAY) },
      { token_hash: randomBytes(32), session_id: live, used_at: ago(59 * DAY) },
      { token_hash: randomBytes(32), session_id: live, used_at: null },
    ])
    .execute();
  await db
    .insertInto('login_codes')
    .values([
      { account_key: old, code_hash: randomBytes(32), expires_at: ago(1_000) },
      { account_key: young, code_hash: randomBytes(32), expires_at: ago(-HOUR) },
    ])
    .execute();
  await db
    .insertInto('revoked_tokens')
    .values([
      { token_id: randomBytes(32), user_id: old, expires_at: ago(2 * HOUR) },
      { token_id: randomBytes(32), user_id: old, expires_at: ago(1_000) },
    ])
    .execute();
  await db
    .insertInto('login_failures')
    .values([
      { account_key: old, address: 'x', failures: 3, first_at: ago(2 * HOUR) },
      { account_key: young, address: 'x', failures: 3, first_at: ago(1_000) },
      { account_key: never, address: 'x', failures: 3, first_at: ago(2 * HOUR), locked_until: ago(-HOUR) },
    ])
    .execute();
}

/** Rows of all tables that a round may touch. */
async function countRows(): Promise<Record<string, number>> {
  const { rows } = await pool.query<Record<string, number>>(`
    select (select count(*)::int from rooms) as rooms, (select count(*)::int from room_bans) as bans,
      (select count(*)::int from members) as members,
      (select count(*)::int from members where muted_until is not null) as mutes,
      (select count(*)::int from audit_log) as audit, (select count(*)::int from message_reports) as reports,
      (select count(*)::int from sessions) as sessions, (select count(*)::int from refresh_tokens) as tokens,
      (select count(*)::int from login_codes) as codes, (select count(*)::int from revoked_tokens) as revoked,
      (select count(*)::int from login_failures) as failures, (select count(*)::int from messages) as messages
  `);
  return { ...rows[0] };
}

describe('what has its time', () => {
  const all = {
    'empty rooms': 1,
    'audit entries': 1,
    reports: 1,
    sessions: 1,
    'refresh tokens': 1,
    'login codes': 1,
    'revoked tokens': 1,
    'login failures': 1,
    'room bans': 1,
    mutes: 1,
  };

  before(async () => void (await clean()));

  test('is removed when it is over, and nothing else is', async () => {
    assert.equal(Object.keys(all).length, KINDS);
    await leaveThings();
    const before = await countRows();
    assert.deepEqual(await clean(), all);
    const removed = await countRows();
    for (const [name, count] of Object.entries(before)) {
      assert.equal(removed[name], ['messages', 'members'].includes(name) ? count : count - 1, name);
    }
    assert.deepEqual(await clean(), {}, 'a second time there is nothing to do');
  });

  test('the audit and resolved reports stay for ever with AUDIT_TTL=off', async () => {
    await leaveThings();
    const { 'audit entries': _entries, reports: _reports, ...rest } = all;
    assert.deepEqual(await clean({ ...config, AUDIT_TTL: null }), rest);
    assert.deepEqual(await clean(), { 'audit entries': 1, reports: 1 });
  });

  test('more than fits into one transaction goes in several', async () => {
    await pool.query(
      `insert into login_failures (account_key, address, failures, first_at)
      select 'many ' || n, 'x', 1, now() - interval '2 hours' from generate_series(1, 2500) n`,
    );
    assert.deepEqual(await clean(), { 'login failures': 2_500 });
  });

  test('a replica leaves the round to the one that has the lock', async () => {
    await leaveThings();
    await inTransaction(async (query) => {
      await query('select pg_advisory_xact_lock($1::bigint)', [CLEANING_LOCK]);
      assert.deepEqual(await clean(), {});
    });
    assert.deepEqual(await clean(), all);
  });

  test('a stop ends a round between two transactions', async () => {
    await leaveThings();
    const metrics = new Metrics();
    await cleanUp({ db, config, metrics, log }, AbortSignal.abort());
    assert.deepEqual((await metrics.cleaned.get()).values, []);
    assert.deepEqual(await clean(), all);
  });
});

describe('by the clock of two gateways', () => {
  test('everything is removed once, whoever does it, and a stop waits for the round', async () => {
    const fast = { CLEANUP_EVERY: '20ms', ROOM_EMPTY_TTL: '24h', AUDIT_TTL: '2160h' };
    const replicas = [await gateways.start(fast), await gateways.start(fast)];
    for (let times = 0; times < 5; times += 1) await leaveThings();
    await eventually(async () => {
      const cleaned = await Promise.all(replicas.map(cleanedBy));
      const sum = (what: string) => cleaned.reduce((total, one) => total + (one[what] ?? 0), 0);
      assert.deepEqual(
        [...new Set(cleaned.flatMap(Object.keys))].map((what) => [what, sum(what)]).toSorted(),
        ['audit entries', 'empty rooms', 'login codes', 'login failures', 'mutes', 'refresh tokens', 'reports']
          .concat(['revoked tokens', 'room bans', 'sessions'])
          .map((what) => [what, 5]),
      );
    });
    await Promise.all(replicas.map((replica) => replica.stop()));
  });
});

async function cleanedBy({ metricsUrl }: TestGateway): Promise<Record<string, number>> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const lines = [...text.matchAll(/^parley_cleaned_total\{what="([^"]+)"\} (\d+)$/gm)];
  return Object.fromEntries(lines.map(([, what = '', count]) => [what, Number(count)]));
}
