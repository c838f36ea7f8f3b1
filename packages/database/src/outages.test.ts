import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import {
  deferred,
  eventually,
  expectNoLeaks,
  freePort,
  startPostgres,
  within,
  type Server,
} from '@parley/test-support';
import { openDatabase, type DatabaseOptions, type OpenDatabase } from './connect.ts';
import { isStatementTimeout, isTransient, isUnavailable } from './errors.ts';

expectNoLeaks({ after });

describe('a server that goes away', () => {
  let server: Server;

  before(async () => {
    server = await startPostgres({ fsync: true });
  });
  after(() => server.remove());

  function open(t: { after(close: () => Promise<void>): void }, options: Partial<DatabaseOptions> = {}): OpenDatabase {
    const opened = openDatabase({
      url: server.url,
      poolMax: 3,
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      applicationName: 'outage-test',
      ...options,
    });
    t.after(() => opened.close());
    return opened;
  }

  async function backendPid({ db }: OpenDatabase): Promise<number> {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    return (rows[0] as { pid: number }).pid;
  }

  function isAnswerMissing(error: unknown): boolean {
    return isUnavailable(error) && !isStatementTimeout(error);
  }

  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    test(`the same pool works again after ${signal} and a new start`, async (t) => {
      const errors: Error[] = [];
      const opened = open(t, { onError: (error) => void errors.push(error) });
      // Three connections, so that idle ones break as well as one in a transaction.
      await Promise.all([backendPid(opened), backendPid(opened), backendPid(opened)]);
      await assert.rejects(
        opened.db.transaction().execute(async (trx) => {
          await sql`select 1`.execute(trx);
          await server.stop(signal);
          await eventually(() => assert.ok(errors.length >= 3));
          await sql`select 2`.execute(trx);
        }),
        isUnavailable,
      );
      await assert.rejects(backendPid(opened), isUnavailable);
      await server.start();
      assert.ok((await backendPid(opened)) > 0);
    });
  }

  test('while it starts or recovers, the refusal counts as away', async (t) => {
    const opened = open(t);
    await sql`create table if not exists filler as select g, repeat('x', 500) from generate_series(1, 20000) g`.execute(
      opened.db,
    );
    await server.stop('SIGKILL');
    const starting = server.start();
    for (let running = true; running;) {
      const outcome = await backendPid(opened).catch((error: unknown) => error);
      if (typeof outcome === 'number') running = false;
      else assert.ok(isUnavailable(outcome), String(outcome));
    }
    await starting;
  });

  test('a frozen backend: the query fails by our own clock, and its connection is not used again', async (t) => {
    const opened = open(t, { poolMax: 1, statementTimeoutMs: 1_000 });
    const pid = await backendPid(opened);
    process.kill(pid, 'SIGSTOP');
    try {
      await assert.rejects(within(backendPid(opened), 'the error'), isAnswerMissing);
      assert.notEqual(await within(backendPid(opened), 'another connection'), pid);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  test('a frozen backend in a transaction: the same', async (t) => {
    const opened = open(t, { poolMax: 1, statementTimeoutMs: 1_000, idleInTransactionTimeoutMs: 0 });
    const frozen = deferred<number>();
    const held = opened.db.transaction().execute(async (trx) => {
      const pid = await backendPid({ ...opened, db: trx });
      process.kill(pid, 'SIGSTOP');
      frozen.resolve(pid);
      await sql`select ${1}::int8`.execute(trx);
    });
    const pid = await frozen.promise;
    try {
      await assert.rejects(within(held, 'the error'), isAnswerMissing);
      assert.notEqual(await within(backendPid(opened), 'another connection'), pid);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  test('a server that accepts and says nothing: connecting fails in time', async (t) => {
    const opened = open(t, { connectTimeoutMs: 200 });
    const postmaster = server.pid as number;
    process.kill(postmaster, 'SIGSTOP');
    try {
      await assert.rejects(within(backendPid(opened), 'the error'), isUnavailable);
    } finally {
      process.kill(postmaster, 'SIGCONT');
    }
    await eventually(() => backendPid(opened));
  });

  test('too many connections count as away', async (t) => {
    const admin = open(t);
    await sql`create role crowded login connection limit 1`.execute(admin.db);
    const url = server.url.replace('//postgres@', '//crowded@');
    const first = open(t, { url, poolMax: 1 });
    const second = open(t, { url, poolMax: 1 });
    await backendPid(first);
    await assert.rejects(backendPid(second), (error) => isUnavailable(error) && !isTransient(error));
  });

  test('no server at all, by TCP and by a Unix socket', async (t) => {
    const nobody = open(t, { url: `postgres://postgres@127.0.0.1:${await freePort()}/postgres` });
    await assert.rejects(backendPid(nobody), isUnavailable);
    const noSocket = open(t, { url: 'postgres://postgres@/postgres?host=/nonexistent' });
    await assert.rejects(backendPid(noSocket), isUnavailable);
  });

  test('a wrong database is no outage', async (t) => {
    const wrong = open(t, { url: server.url.replace(/\/postgres$/, '/absent') });
    await assert.rejects(backendPid(wrong), (error) => !isUnavailable(error));
  });
});
