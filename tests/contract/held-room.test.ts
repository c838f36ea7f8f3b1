import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { Owner } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';

// Contract, section 7: what happens to all others while somebody's transaction holds the row of one room.

const gateways = await startGateways({ after }, 2);
const impatient = await gateways.start({ DATABASE_STATEMENT_TIMEOUT_MS: '1000' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const database = lookInto({ after }, gateways.databaseUrl);
const watcher = lookInto({ after }, gateways.databaseUrl);

/** @returns what lets the room go */
async function hold(owner: Owner, roomId: string): Promise<() => Promise<void>> {
  const client = await database.pool.connect();
  let isHeld = true;
  const letGo = async (): Promise<void> => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('commit');
    client.release();
  };
  owner.after(letGo);
  await client.query('begin');
  await client.query('set local idle_in_transaction_session_timeout = 0');
  await client.query('select 1 from rooms where id = $1 for update', [roomId]);
  return letGo;
}

async function newRooms(count: number, ...members: [Client, ...Client[]]): Promise<string[]> {
  const [creator, ...others] = members;
  const rooms: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const { room } = await creator.ok('room:create', { name: randomUUID() });
    for (const other of others) await other.ok('room:join', { roomId: room.id });
    rooms.push(room.id);
  }
  return rooms;
}

test('the other rooms go on, on all gateways; what waits for the one follows in its order', async (t) => {
  const ana = await connect(t, here, 'ana');
  const ben = await connect(t, there, 'ben');
  const [held = '', ...others] = await newRooms(6, ana, ben);
  const letGo = await hold(t, held);

  const waiting = [ana.send(held, 'one')];
  const around = others.flatMap((roomId) => [ana.send(roomId, 'first'), ben.send(roomId, 'first')]);
  waiting.push(ana.send(held, 'two'));
  await Promise.all(around);
  waiting.push(ana.send(held, 'three'));
  for (const roomId of others) await Promise.all([ana.send(roomId, 'second'), ben.send(roomId, 'second')]);
  waiting.push(ben.send(held, 'four'));
  assert.deepEqual(ben.contents(held), []);

  await letGo();
  const seqs = (await Promise.all(waiting.slice(0, 3))).map(({ seq }) => seq);
  await waiting[3];
  assert.deepEqual(
    seqs,
    seqs.toSorted((one, other) => one - other),
  );
  await ben.waitFor('message:new', ({ content }) => content === 'three');
  assert.deepEqual(ben.contents(held), ['one', 'two', 'three']);
});

test('what has waited for too long is UNAVAILABLE, and is not stored; the others go on', async (t) => {
  const cid = await connect(t, impatient, 'cid');
  const [held = '', other = ''] = await newRooms(2, cid);
  const letGo = await hold(t, held);
  const send = { roomId: held, content: 'hello', clientMsgId: 'c1' };
  const refused = cid.refused('message:send', send, 'UNAVAILABLE');
  await cid.send(other, 'here');
  assert.ok(((await refused).retryAfterMs ?? 0) > 0);
  await cid.send(other, 'still here');
  await letGo();
  const { message, duplicate } = await cid.ok('message:send', send);
  assert.deepEqual([message.seq, duplicate], [1, false]);
});

test('changes that wait for it take no connections from the others', async (t) => {
  const crowd = await Promise.all(Array.from({ length: 8 }, (_, index) => connect(t, impatient, `user${index}`)));
  const [ana] = crowd as [Client, ...Client[]];
  const [held = '', other = ''] = await newRooms(2, ...(crowd as [Client, ...Client[]]));
  const { seq } = await ana.send(held, 'hello');
  const letGo = await hold(t, held);
  const react = (client: Client) =>
    client.request('message:react', { roomId: held, seq, emoji: client.userId, on: true });
  const reactions = crowd.map(react);
  await Promise.all(crowd.map((client) => client.ok('message:history', { roomId: other })));
  const { rows } = await watcher.pool.query(
    `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
      and wait_event_type = 'Lock' and query like '%change_message%'`,
  );
  assert.ok(rows.length <= 1, `${rows.length} wait`);
  await letGo();
  for (const answer of await Promise.all(reactions)) assert.ok(answer.ok || answer.error.code === 'UNAVAILABLE');
  for (const client of crowd) assert.ok((await react(client)).ok);
});
