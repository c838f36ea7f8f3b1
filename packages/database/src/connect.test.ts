import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { sql } from 'kysely';
import { types } from 'pg';
import { createDatabase, deferred, eventually, expectNoLeaks, within } from '@parley/test-support';
import { openDatabase } from './connect.ts';
import { isStatementTimeout, isTransient, isUnavailable } from './errors.ts';
import { appendOne, createRooms, openOn, openOwnDatabase } from './testing/world.ts';

expectNoLeaks({ after });

const options = { statementTimeoutMs: 5_000, connectTimeoutMs: 5_000, applicationName: 'connect-test', poolMax: 2 };

async function one<T>(db: Parameters<typeof appendOne>[0], text: string): Promise<T> {
  const { rows } = await sql<{ value: T }>`select ${sql.raw(text)} as value`.execute(db);
  return (rows[0] as { value: T }).value;
}

describe('values', () => {
  test('int8 is a number, also in arrays and counts', async (t) => {
    const { db } = await openOwnDatabase(t);
    assert.equal(await one(db, '9007199254740991::int8'), Number.MAX_SAFE_INTEGER);
    assert.equal(await one(db, '(-9007199254740991)::int8'), Number.MIN_SAFE_INTEGER);
    assert.deepEqual(await one(db, 'array[1, null, -3]::int8[]'), [1, null, -3]);
    assert.equal(await one(db, '(select count(*) from generate_series(1, 3))'), 3);
    assert.equal(await one(db, 'null::int8'), null);
  });

  test('an int8 that a number can not hold is an error, and the connection lives', async (t) => {
    const { db } = await openOwnDatabase(t, { poolMax: 1 });
    const pid = await one(db, 'pg_backend_pid()');
    await assert.rejects(one(db, '9007199254740993::int8'), RangeError);
    await assert.rejects(one(db, 'array[1, -9007199254740993]::int8[]'), RangeError);
    assert.equal(await one(db, 'pg_backend_pid()'), pid);
  });

  test('timestamptz is a Date, to the millisecond, and goes back as it came', async (t) => {
    const { db } = await openOwnDatabase(t);
    const at = await one<Date>(db, `'2031-02-03 04:05:06.789+02'::timestamptz`);
    assert.ok(at instanceof Date);
    assert.equal(at.toISOString(), '2031-02-03T02:05:06.789Z');
    const { rows } = await sql<{ same: boolean }>`
      select ${at}::timestamptz = '2031-02-03 02:05:06.789Z' as same`.execute(db);
    assert.equal(rows[0]?.same, true);
  });

  test("pg's own table of types is left alone", () => {
    assert.equal(types.getTypeParser(types.builtins.INT8)('7'), '7');
  });
});

describe('settings', () => {
  test('every connection has them, and the name', async (t) => {
    const { pool } = await openOwnDatabase(t, {
      poolMax: 2,
      statementTimeoutMs: 7_000,
      lockTimeoutMs: 3_000,
      idleInTransactionTimeoutMs: 4_000,
    });
    const clients = [await pool.connect(), await pool.connect()];
    try {
      for (const client of clients) {
        const { rows } = await client.query(`select current_setting('statement_timeout') as statement,
          current_setting('lock_timeout') as lock, current_setting('application_name') as name,
          current_setting('idle_in_transaction_session_timeout') as idle`);
        assert.deepEqual(rows, [{ statement: '7s', lock: '3s', name: 'database-test', idle: '4s' }]);
      }
    } finally {
      for (const client of clients) client.release();
    }
  });

  test('a statement over its time is cancelled, and the connection goes on', async (t) => {
    const { db } = await openOwnDatabase(t, { poolMax: 1, statementTimeoutMs: 500 });
    const pid = await one(db, 'pg_backend_pid()');
    await assert.rejects(one(db, 'pg_sleep(60)'), (error) => isStatementTimeout(error) && !isUnavailable(error));
    assert.equal(await one(db, 'pg_backend_pid()'), pid);
  });

  test('a wait for a lock ends with an error that may be retried', async (t) => {
    const { db } = await openOwnDatabase(t, { lockTimeoutMs: 100 });
    const { rooms } = await createRooms(db, { rooms: 1, users: 1 });
    const lock = db
      .selectFrom('rooms')
      .select('id')
      .where('id', '=', rooms[0] as string)
      .forUpdate();
    await db.transaction().execute(async (trx) => {
      await trx.executeQuery(lock);
      await assert.rejects(lock.execute(), isTransient);
    });
    assert.equal((await lock.execute()).length, 1);
  });

  test('a transaction that does nothing ends with its connection, and the process lives', async (t) => {
    const broken = deferred<Error>();
    const { db } = await openOwnDatabase(t, { idleInTransactionTimeoutMs: 100, onError: broken.resolve });
    await assert.rejects(
      db.transaction().execute(async (trx) => {
        await one(trx, '1');
        await within(broken.promise, 'the end of the connection');
        await one(trx, '2');
      }),
      isUnavailable,
    );
    assert.ok(isUnavailable(await broken.promise));
    assert.equal(await one(db, '3'), 3);
  });
});

describe('prepared statements', () => {
  async function prepared(db: Parameters<typeof appendOne>[0]): Promise<{ name: string; statement: string }[]> {
    const { rows } = await sql<{ name: string; statement: string }>`
      select name, statement from pg_prepared_statements order by statement`.execute(db);
    return rows;
  }

  test('a statement with parameters is prepared once a connection, under its own name', async (t) => {
    const { db } = await openOwnDatabase(t, { poolMax: 1 });
    const byName = (name: string) => db.selectFrom('users').select('id').where('name', '=', name);
    for (const name of ['Ann', 'Bob', 'Cy']) await byName(name).execute();
    await db.selectFrom('rooms').select('id').where('name', '=', 'Hall').execute();

    const found = await prepared(db);
    assert.deepEqual(
      found.map((row) => row.statement),
      ['select "id" from "rooms" where "name" = $1', 'select "id" from "users" where "name" = $1'],
    );
    assert.ok(found.every((row) => /^p_[\w-]{22}$/.test(row.name)));
    assert.notEqual(found[0]?.name, found[1]?.name);
    const { rows } = await sql<{ runs: number }>`select generic_plans + custom_plans as runs
      from pg_prepared_statements where statement like '%"users"%'`.execute(db);
    assert.equal(rows[0]?.runs, 3);
  });

  test('the function that appends is one of them', async (t) => {
    const { db } = await openOwnDatabase(t, { poolMax: 1 });
    const { rooms, users } = await createRooms(db, { rooms: 1, users: 1 });
    for (let count = 0; count < 3; count++) {
      await appendOne(db, { room: rooms[0] as string, sender: users[0] as string });
    }
    const found = await prepared(db);
    assert.equal(found.filter((row) => row.statement.includes('append_messages')).length, 1);
  });

  test('with prepared: false there are none', async (t) => {
    const { db } = await openOwnDatabase(t, { poolMax: 1, prepared: false });
    await db.selectFrom('users').select('id').where('name', '=', 'Ann').execute();
    assert.deepEqual(await prepared(db), []);
  });
});

describe('a broken connection', () => {
  const terminate = 'select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = $1';

  test('an idle one is reported, and the next query gets another one', async (t) => {
    const errors: Error[] = [];
    const { db, url } = await openOwnDatabase(t, {
      applicationName: 'victim',
      onError: (error) => void errors.push(error),
    });
    const other = openDatabase({ ...options, url });
    t.after(() => other.close());

    const pid = await one(db, 'pg_backend_pid()');
    await other.pool.query(terminate, ['victim']);
    await eventually(() => assert.ok(errors.length > 0));
    assert.ok(errors.every((error) => isUnavailable(error)));
    assert.notEqual(await one(db, 'pg_backend_pid()'), pid);
  });

  test('during a query and inside a transaction: an error, and the process lives', async (t) => {
    const errors: Error[] = [];
    const { db, url } = await openOwnDatabase(t, {
      applicationName: 'victim',
      onError: (error) => void errors.push(error),
    });
    const other = openDatabase({ ...options, url });
    t.after(() => other.close());

    const running = assert.rejects(one(db, 'pg_sleep(60)'), isUnavailable);
    await eventually(async () => {
      const { rows } = await other.pool.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
      assert.equal(rows.length, 1);
    });
    await other.pool.query(terminate, ['victim']);
    await running;

    await assert.rejects(
      db.transaction().execute(async (trx) => {
        await one(trx, '1');
        const before = errors.length;
        await other.pool.query(terminate, ['victim']);
        await eventually(() => assert.ok(errors.length > before));
        await one(trx, '2');
      }),
      isUnavailable,
    );
    assert.equal(await one(db, '3'), 3);
  });
});

describe('the pool', () => {
  test('without a free connection a query fails in time', async (t) => {
    const { db, pool } = await openOwnDatabase(t, { poolMax: 1, connectTimeoutMs: 100 });
    // The same time-out holds for opening one, which can take longer on a busy machine.
    const taken = await eventually(() => pool.connect());
    try {
      await assert.rejects(within(one(db, '1'), 'the error'), isUnavailable);
    } finally {
      taken.release();
    }
    assert.equal(await one(db, '1'), 1);
  });

  test('close waits for what runs, may be called twice, and is final', async (t) => {
    const database = await createDatabase();
    const { db, close } = openOn(t, database);
    const running = one(db, `pg_sleep(0.2) is null`);
    await eventually(async () => {
      const other = openDatabase({ ...options, url: database.url });
      const { rows } = await other.pool.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
      await other.close();
      assert.equal(rows.length, 1);
    });
    const closed = Promise.all([close(), close()]);
    assert.equal(await running, false);
    await closed;
    await assert.rejects(one(db, '1'), isUnavailable);
  });

  test('close works when nothing was ever asked, and when only the pool was used', async (t) => {
    const database = await createDatabase();
    t.after(() => database.drop());
    await openDatabase({ ...options, url: database.url }).close();
    const { pool, close } = openDatabase({ ...options, url: database.url });
    assert.equal((await pool.query<{ n: number }>('select 1::int8 as n')).rows[0]?.n, 1);
    await close();
    assert.equal(pool.totalCount, 0);
  });
});
