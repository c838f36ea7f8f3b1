import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { createDatabase, createEmptyDatabase, redisPrefix, type TestDatabase } from './stores.ts';

async function query({ url }: TestDatabase, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ value: unknown }>(text)).rows.map((row) => row.value);
  } finally {
    await client.end();
  }
}

test('a database has the schema, and nothing of another one', async (t) => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  t.after(() => Promise.all([one.drop(), two.drop()]));
  await query(one, `insert into users (id, name) values ('u', 'U')`);
  assert.deepEqual(await query(one, 'select id as value from users'), ['u']);
  assert.deepEqual(await query(two, 'select id as value from users'), []);
});

test('an empty database is empty', async (t) => {
  const database = await createEmptyDatabase();
  t.after(() => database.drop());
  assert.deepEqual(await query(database, `select tablename as value from pg_tables where schemaname = 'public'`), []);
});

test('drop ends what is still connected, and may be called twice', async () => {
  const database = await createEmptyDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const ended = new Promise((resolve) => client.on('error', resolve));
  await database.drop();
  await ended;
  await database.drop();
  await assert.rejects(query(database, 'select 1'), /does not exist/);
});

test('prefixes differ', () => {
  assert.notEqual(redisPrefix(), redisPrefix());
});
