import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { PoolClient } from 'pg';
import { sql, type Kysely } from 'kysely';
import { createDatabase, eventually, expectNoLeaks } from '@parley/test-support';
import { assertIndexed, plansInside, tellPlans } from './testing/plans.ts';
import type { Database } from './schema.ts';
import { append, createRooms, openOn, openOwnDatabase } from './testing/world.ts';

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

/** The page on which each row is now, by the row's key. */
async function pagesOf(db: Kysely<Database>, { table, key }: { table: string; key: string }) {
  const { rows } = await sql<{ row: string; page: number }>`select (${sql.raw(key)})::text as row,
    (ctid::text::point)[0] as page from ${sql.table(table)}`.execute(db);
  return new Map(rows.map(({ row, page }) => [row, page]));
}

test('the rows that every message changes are changed without touching an index', async (t) => {
  const { db: own } = await openOwnDatabase(t);
  const { rooms, users } = await createRooms(own, { rooms: 3, users: 3 });
  const batches = 300;
  const changed = [
    { table: 'rooms', key: 'id', pages: new Map<string, number>(), moves: 0 },
    { table: 'members', key: '(room_id, user_id)', pages: new Map<string, number>(), moves: 0 },
  ];
  for (const each of changed) each.pages = await pagesOf(own, each);
  for (let count = 0; count < batches; count++) {
    await append(
      own,
      rooms.map((room, index) => ({ room, sender: users[index] as string })),
    );
    for (const each of changed) {
      const before = each.pages;
      each.pages = await pagesOf(own, each);
      for (const [row, page] of each.pages) each.moves += Number(before.get(row) !== page);
    }
  }
  for (const { table, moves } of changed) {
    await eventually(async () => {
      const { rows } = await sql<{ all: number; hot: number }>`select n_tup_upd as all, n_tup_hot_upd as hot
        from pg_stat_user_tables where relname = ${table}`.execute(own);
      assert.equal(rows[0]?.all, batches * rooms.length, 'PostgreSQL counts late');
      // A row that moves to another page needs its indexes, too. It moves when its page is full, which no change of ours
      // decides: old versions stay there as long as any transaction of the server, even of another database, is open.
      assert.equal(rows[0].hot, rows[0].all - moves, `${table}: ${moves} moves`);
    });
    t.diagnostic(`${table}: ${moves} moves`);
  }
});
