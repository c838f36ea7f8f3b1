import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { PoolClient } from 'pg';
import { sql } from 'kysely';
import { createDatabase, eventually, expectNoLeaks, startPostgres } from '@parley/test-support';
import { migrateToLatest } from './migrate.ts';
import { assertIndexed, plansInside, tellPlans } from './testing/plans.ts';
import { append, createRooms, openOn } from './testing/world.ts';

const { db, pool } = openOn({ after }, await createDatabase());
expectNoLeaks({ after });

/** The plans of all statements inside append_messages, as auto_explain tells them to this session. */
async function explainAppends(client: PoolClient, times: number): Promise<string> {
  const { rooms, users } = await createRooms(db, { rooms: 2, users: 2 });
  return plansInside(client, ['append_messages'], async () => {
    for (let count = 0; count < times; count++) {
      await client.query(
        `select * from append_messages($1::uuid[], $2::text[], array['a', 'b'], array[gen_random_uuid(), gen_random_uuid()],
          array['x', 'y'], array[null, null]::bigint[], 1000)`,
        [rooms, users],
      );
    }
  });
}

function assertByKey(plans: string): void {
  assert.match(plans, /LockRows/, 'the plans of the function are there');
  assertIndexed(plans);
  assert.doesNotMatch(plans, /JIT:/);
  const wanted = [
    /Index Cond: \(\(room_id = i\.room_id\) AND \(sender_id = i\.sender_id\) AND \(client_msg_id = i\.client_msg_id\)\)/,
    /using users_pkey/,
    // Looked up only for direct rooms: a plan below a condition.
    /SubPlan[^]*?using user_blocks_pkey[^]*?Index Cond: \(\(user_id = o\.user_id\) AND \(blocked_id = i\.sender_id\)\)/,
    /Index Cond: \(id = ANY \(ARRAY\[h\w*\.room_id\]\)\)/,
    /using members_\w+ on members m\b[^]*?Index Cond: \((\(\w+ = ANY \(ARRAY\[h\w*\.\w+\]\)\)( AND )?){2}\)/,
  ];
  for (const pattern of wanted) assert.match(plans, pattern);
}

test('the plans inside use indexes from the first call on empty tables, and after the tables have grown', async () => {
  const client = await pool.connect();
  try {
    await tellPlans(client);
    assertByKey(await explainAppends(client, 8));
    // Small and known to be small: the worst to plan by, as such a plan may stay when they have grown.
    await sql`analyze`.execute(db);
    assertByKey(await explainAppends(client, 8));

    await sql`insert into users (id, name) select 'u' || g, 'n' from generate_series(1, 5000) g`.execute(db);
    await sql`insert into rooms (id, kind, name, name_key, created_by)
      select gen_random_uuid(), 'private', 'r', 'r', 'u1' from generate_series(1, 2000) g`.execute(db);
    await sql`insert into messages (room_id, seq, id, sender_id, client_msg_id, content, created_at)
      select id, g, gen_random_uuid(), 'u' || g, 'k', 'x', now() from rooms, generate_series(1, 10) g
      where kind = 'private'`.execute(db);
    assertByKey(await explainAppends(client, 8));
    await sql`analyze`.execute(db);
    assertByKey(await explainAppends(client, 8));
  } finally {
    client.release(true);
  }
});

test('the rows that every message changes are changed without touching an index', async (t) => {
  // A server of its own: a transaction of any other database of the same one, as of another test, keeps old versions
  // from being pruned as long as it is open, so that pages fill up.
  const server = await startPostgres();
  const { db: own } = openOn(t, { url: server.url, drop: () => server.remove() });
  await migrateToLatest(own);
  const { rooms, users } = await createRooms(own, { rooms: 3, users: 3 });
  const batches = 300;
  for (let count = 0; count < batches; count++) {
    await append(
      own,
      rooms.map((room, index) => ({ room, sender: users[index] as string })),
    );
  }
  for (const table of ['rooms', 'members']) {
    await eventually(async () => {
      const { rows } = await sql<{ all: number; hot: number }>`select n_tup_upd as all, n_tup_hot_upd as hot
        from pg_stat_user_tables where relname = ${table}`.execute(own);
      assert.equal(rows[0]?.all, batches * rooms.length, 'PostgreSQL counts late');
      // A page can be full for a moment, until the old versions on it are pruned.
      assert.ok(rows[0].hot >= rows[0].all * 0.95, `${table}: ${rows[0].hot} of ${rows[0].all}`);
    });
  }
});
