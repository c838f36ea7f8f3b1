import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Server } from './server.ts';

async function query(url: string, text: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ value: unknown }>(text)).rows[0]?.value;
  } finally {
    await client.end();
  }
}

function pidOf({ pid }: Server): number {
  assert.ok(pid !== undefined, 'it runs');
  return pid;
}

test('PostgreSQL keeps its data and its port over a crash, and goes for good when removed', async (t) => {
  const server = await startPostgres({ fsync: true });
  t.after(() => server.remove());
  await query(server.url, 'create table kept as select 7 as value');
  const first = pidOf(server);
  await server.stop('SIGKILL');
  assert.equal(server.pid, undefined);
  await assert.rejects(query(server.url, 'select 1'), /ECONNREFUSED/);
  await server.start();
  assert.notEqual(server.pid, first);
  assert.equal(await query(server.url, 'select value from kept'), 7);
  assert.equal(await query(server.url, `select current_setting('fsync') as value`), 'on');
  const last = pidOf(server);
  await server.remove();
  assert.throws(() => process.kill(last, 0), /ESRCH/);
  await server.remove();
});

test('Redis starts, stops and starts again on its port', async (t) => {
  const server = await startRedis();
  t.after(() => server.remove());
  const first = pidOf(server);
  await server.stop();
  assert.throws(() => process.kill(first, 0), /ESRCH/);
  await server.start();
  assert.equal(server.url, `redis://127.0.0.1:${server.port}`);
  assert.notEqual(server.pid, first);
});
