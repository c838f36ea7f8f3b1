import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import { createDatabase, expectNoLeaks } from '@parley/test-support';
import { assertIndexed, plansInside, tellPlans } from './testing/plans.ts';
import { createRooms, openOn, openOwnDatabase } from './testing/world.ts';

// recognise_bearers, note_online and rooms_seen_by: what a connect and a join ask for (000012).

const { db } = openOn({ after }, await createDatabase());
expectNoLeaks({ after });

interface Bearer {
  idx: number;
  id: string;
  name: string;
  claimed_name: string | null;
  session_is_live: boolean | null;
  is_revoked: boolean;
  room_ids: string[];
}
interface Asked {
  user: string;
  session?: string;
  token?: Buffer;
  name?: string;
  claimed?: string;
}

async function recognise(asked: readonly Asked[]): Promise<Bearer[]> {
  const { rows } = await sql<Bearer>`select * from recognise_bearers(
    ${asked.map(({ user }) => user)}::text[], ${asked.map(({ session }) => session ?? null)}::uuid[],
    ${asked.map(({ token }) => token ?? null)}::bytea[], ${asked.map(({ name }) => name ?? null)}::text[],
    ${asked.map(({ claimed }) => claimed ?? null)}::text[]) order by idx`.execute(db);
  return rows;
}

test('each bearer stands in its place, and who has no name to be made by is made by nobody', async () => {
  const { rooms, users } = await createRooms(db, { rooms: 2, users: 1 });
  const [known] = users as [string];
  const [fresh, absent] = [randomUUID(), randomUUID()];
  const bearers = await recognise([
    { user: absent },
    { user: fresh, name: 'Ann', claimed: 'Ann' },
    { user: known, name: 'Other', claimed: 'Other' },
    { user: fresh, name: 'Again' },
  ]);
  assert.deepEqual(
    bearers.map(({ idx, id, name, claimed_name: claimed }) => [idx, id, name, claimed]),
    [
      [2, fresh, 'Ann', 'Ann'],
      [3, known, `Name of ${known}`, null],
      [4, fresh, 'Ann', 'Ann'],
    ],
  );
  assert.deepEqual(bearers[1]?.room_ids.toSorted(), rooms.toSorted());
  assert.deepEqual(bearers[0]?.room_ids, []);
});

test('users whom many make at once are made once, and all have them', async () => {
  const ids = Array.from({ length: 20 }, () => randomUUID());
  const orders = [ids, ids.toReversed(), ids, ids.toReversed()];
  const found = await Promise.all(orders.map((users) => recognise(users.map((user) => ({ user, name: user })))));
  for (const bearers of found) assert.equal(bearers.length, ids.length);
});

test('a session counts for its own user, until it ends; a token until it is given back', async () => {
  const { users } = await createRooms(db, { rooms: 1, users: 2 });
  const [ann, bob] = users as [string, string];
  const [live, ended, late] = [randomUUID(), randomUUID(), randomUUID()];
  await sql`insert into sessions (id, user_id, expires_at, ended_at) values
    (${live}, ${ann}, now() + interval '1 hour', null), (${ended}, ${ann}, now() + interval '1 hour', now()),
    (${late}, ${ann}, now() - interval '1 second', null)`.execute(db);
  const token = Buffer.from(randomUUID());
  await sql`insert into revoked_tokens (token_id, user_id, expires_at) values (${token}, ${ann}, now())`.execute(db);
  const bearers = await recognise([
    ...[live, ended, late, randomUUID()].map((session) => ({ user: ann, session })),
    { user: bob, session: live },
    { user: ann, token },
    { user: ann, token: Buffer.from('another') },
  ]);
  assert.deepEqual(
    bearers.map(({ session_is_live: session }) => session),
    [true, false, false, null, null, null, null],
  );
  assert.deepEqual(
    bearers.map(({ is_revoked: revoked }) => revoked),
    [false, false, false, false, false, true, false],
  );
});

test('who is noted as online is news to one of many, and absent users are left out', async () => {
  const { users, rooms } = await createRooms(db, { rooms: 1, users: 5 });
  const note = async (ids: readonly string[]) => {
    const { rows } = await sql<{ id: string; is_news: boolean; room_ids: string[] }>`
      select * from note_online(${ids}::text[])`.execute(db);
    return rows;
  };
  const noted = await Promise.all([users, users.toReversed(), [...users, randomUUID()]].map((ids) => note(ids)));
  for (const rows of noted) assert.deepEqual(new Set(rows.map(({ id }) => id)), new Set(users));
  const news = noted.flat().filter(({ is_news: isNews }) => isNews);
  assert.deepEqual(news.map(({ id }) => id).toSorted(), users.toSorted());
  assert.deepEqual(news[0]?.room_ids, rooms);
  assert.ok((await note(users)).every(({ is_news: isNews }) => !isNews));
});

test('rooms are seen by their viewers, with the first members in order', async () => {
  const { rooms, users } = await createRooms(db, { rooms: 2, users: 4 });
  const [one, other] = rooms as [string, string];
  const [ann, bob] = users as [string, string];
  await sql`delete from members where room_id = ${other} and user_id = ${bob}`.execute(db);
  const direct = randomUUID();
  await sql`insert into rooms (id, kind, name, name_key, created_by, direct_key)
    values (${direct}, 'direct', '', '', ${ann}, ${direct})`.execute(db);
  await sql`insert into members (room_id, user_id) values (${direct}, ${ann}), (${direct}, ${bob})`.execute(db);
  const { rows } = await sql<{
    idx: number;
    id: string;
    my_role: string | null;
    peer_id: string | null;
    members: { id: string; role: string }[] | null;
  }>`select * from rooms_seen_by(${[other, randomUUID(), one, direct, direct]}::uuid[],
    ${[bob, bob, bob, bob, ann]}::text[], 2) order by idx`.execute(db);
  const firstOf = (ids: string[]) => ids.toSorted().slice(0, 2);
  assert.deepEqual(
    rows.map(({ idx, id, my_role: role, peer_id: peer, members }) => [idx, id, role, peer, members?.map((m) => m.id)]),
    [
      [1, other, null, null, firstOf(users.filter((id) => id !== bob))],
      [3, one, 'member', null, firstOf(users)],
      [4, direct, 'member', ann, firstOf([ann, bob])],
      [5, direct, 'member', bob, firstOf([ann, bob])],
    ],
  );
  const without = await sql<{ members: unknown }>`
    select members from rooms_seen_by(array[${one}]::uuid[], array[${ann}], 0)`.execute(db);
  assert.deepEqual(without.rows, [{ members: null }]);
});

/** The plans of all statements inside the functions, as auto_explain tells them to this session. */
async function explain(client: PoolClient, { rooms, users }: { rooms: string[]; users: string[] }): Promise<string> {
  return plansInside(client, ['recognise_bearers', 'note_online', 'rooms_seen_by'], async () => {
    const nothing = users.map(() => null);
    await client.query('select * from recognise_bearers($1::text[], $2::uuid[], $3::bytea[], $4::text[], $4::text[])', [
      users,
      nothing,
      nothing,
      users,
    ]);
    await client.query('select * from note_online($1::text[])', [users]);
    await client.query('select * from rooms_seen_by($1::uuid[], $2::text[], 50)', [rooms, users]);
  });
}

test('the plans look everything up by its key, on small tables as on large ones', async (t) => {
  const own = await openOwnDatabase(t, { poolMax: 1 });
  const world = await createRooms(own.db, { rooms: 2, users: 2 });
  await sql`analyze`.execute(own.db); // small and known to be small: the worst to plan by
  const client = await own.pool.connect();
  try {
    await tellPlans(client);
    const plans = await explain(client, world);
    assert.doesNotMatch(plans, /Hash Join|Merge Join|Materialize/);
    assertIndexed(plans);
    const wanted = [
      /using users_pkey[^\n]*\n\s*Index Cond: \(id = a\.user_id\)/,
      /using sessions_pkey/,
      /using revoked_tokens_pkey/,
      /using rooms_pkey[^\n]*\n\s*Index Cond: \(id = a\.room_id\)/,
      /using members_pkey on members m[^\n]*\n\s*Index Cond: \(room_id = \w+\.id\)/,
      /using users_pkey[^\n]*\n\s*Index Cond: \(id = m\.user_id\)/,
    ];
    for (const pattern of wanted) assert.match(plans, pattern);
  } finally {
    client.release(true);
  }
});
