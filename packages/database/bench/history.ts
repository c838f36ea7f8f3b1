/**
 * How long a page of old messages takes in a room of a million. Run by hand: `node packages/database/bench/history.ts`.
 * Starts a PostgreSQL of its own in a temporary folder (some 700 MB) and removes it afterwards.
 */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { startPostgres } from '@parley/test-support';
import { type Database, migrateToLatest, openDatabase } from '../src/index.ts';

const MESSAGES = 1_000_000;
const OTHER_ROOMS = 50;
const USERS = 1_000;
const PAGES = 200;
const PAGE_SIZE = 50;

const server = await startPostgres();
try {
  await migrateToLatest(server.url);
  const { db, close } = openDatabase({
    url: server.url,
    poolMax: 1,
    statementTimeoutMs: 0,
    connectTimeoutMs: 10_000,
    applicationName: 'bench-history',
  });
  try {
    await measure(db);
  } finally {
    await close();
  }
} finally {
  await server.remove();
}

async function measure(db: Kysely<Database>): Promise<void> {
  const room = randomUUID();
  const filling = performance.now();
  await fill(db, room);
  const { rows: sizes } = await sql<{ table: string; indexes: string }>`select
    pg_size_pretty(pg_table_size('messages')) as table, pg_size_pretty(pg_indexes_size('messages')) as indexes
  `.execute(db);
  console.log(`filled in ${((performance.now() - filling) / 1000).toFixed(1)} s`, sizes[0]);

  const plan = await explain(page(db, room, MESSAGES / 2));
  console.log(`\na page of ${PAGE_SIZE} before seq ${MESSAGES / 2} of ${MESSAGES}:\n${plan}\n`);

  const times: number[] = [];
  for (let count = 0; count < PAGES; count++) {
    const before = PAGE_SIZE + 1 + Math.floor(Math.random() * (MESSAGES - PAGE_SIZE));
    const start = performance.now();
    const rows = await page(db, room, before).execute();
    times.push(performance.now() - start);
    if (rows.length !== PAGE_SIZE || rows[0]?.seq !== before - 1) throw new Error(`a wrong page before ${before}`);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => `${times.at(Math.floor(share * (times.length - 1)))?.toFixed(2)} ms`;
  console.log(`${PAGES} pages at random places: min ${at(0)}, median ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
}

/** The big room's messages lie between those of the others, as they would after years. */
async function fill(db: Kysely<Database>, room: string): Promise<void> {
  await sql`insert into users (id, name) select 'user-' || g, 'User ' || g from generate_series(0, ${USERS - 1}::int) g
  `.execute(db);
  await sql`insert into rooms (id, kind, name, name_key, created_by)
    select case g when 0 then ${room}::uuid else gen_random_uuid() end, 'public', 'Room ' || g, 'room ' || g, 'user-0'
    from generate_series(0, ${OTHER_ROOMS}::int) g`.execute(db);
  await sql`insert into messages (room_id, seq, id, sender_id, client_msg_id, content, created_at)
    with others as (select id, row_number() over () - 1 as place from rooms where id <> ${room})
    select r.id, r.seq, gen_random_uuid(), 'user-' || (g * 7919::bigint) % ${USERS}::int, gen_random_uuid(),
      repeat('lorem ipsum ', 2 + g % 12), timestamptz '2030-01-01' + g * interval '1 minute'
    from generate_series(1, ${MESSAGES}::int) g, lateral (
      select ${room}::uuid, g union all
      select id, 1 + g / ${OTHER_ROOMS}::int from others where place = g % ${OTHER_ROOMS}::int
    ) r (id, seq)`.execute(db);
  await sql`vacuum analyze`.execute(db);
}

function page(db: Kysely<Database>, room: string, before: number) {
  return db
    .selectFrom('messages as m')
    .innerJoin('users as u', 'u.id', 'm.sender_id')
    .selectAll('m')
    .select('u.name as sender_name')
    .where('m.room_id', '=', room)
    .where('m.seq', '<', before)
    .orderBy('m.seq', 'desc')
    .limit(PAGE_SIZE);
}

async function explain(query: ReturnType<typeof page>): Promise<string> {
  const rows = await query.explain<Record<'QUERY PLAN', string>>('text', sql`analyze, buffers`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
