import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { createDatabase, expectNoLeaks } from '@parley/test-support';
import type { AppendedRow } from './append.ts';
import { append, createRooms, openOn, type Send } from './testing/world.ts';

const CONNECTIONS = 20;
const { db } = openOn({ after }, await createDatabase(), { poolMax: CONNECTIONS + 5, statementTimeoutMs: 60_000 });
expectNoLeaks({ after });

interface Answered {
  send: Send;
  answer: AppendedRow;
}

/** Each connection sends its batches one after another, all connections at once. */
async function sendAll(work: Send[][][]): Promise<Answered[][]> {
  const batches = await Promise.all(
    work.map(async (own) => {
      const answered: Answered[][] = [];
      for (const sends of own) {
        const answers = await append(db, sends);
        answered.push(sends.map((send, index) => ({ send, answer: answers[index] as AppendedRow })));
      }
      return answered;
    }),
  );
  return batches.flat();
}

/** Gapless numbers from 1, times in their order, heads that fit. */
async function assertWhole(rooms: string[]): Promise<void> {
  const { rows } = await sql<{ whole: boolean; head: boolean; ordered: boolean; total: number }>`
    select count(*) as total, bool_and(m.seq = m.place) as whole, bool_and(m.created_at >= m.before) as ordered,
      r.head_seq = count(*) and r.last_message_at = max(m.created_at) as head
    from rooms r join (
      select room_id, seq, created_at, row_number() over (partition by room_id order by seq) as place,
        lag(created_at, 1, created_at) over (partition by room_id order by seq) as before
      from messages
    ) m on m.room_id = r.id
    where r.id = any (${rooms}) group by r.id`.execute(db);
  assert.equal(rows.length, rooms.length);
  for (const row of rows) assert.deepEqual([row.whole, row.head, row.ordered], [true, true, true]);
}

/** A generator of whole numbers below `n`, the same at every run. */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

test('many connections, random batches over several rooms', async () => {
  const { rooms, users } = await createRooms(db, { rooms: 5, users: 8 });
  const work = Array.from({ length: CONNECTIONS }, (_, connection) => {
    const roll = dice(connection + 1);
    return Array.from({ length: 15 }, () =>
      Array.from({ length: 1 + roll(8) }, () => {
        const key = `${roll(2_000)}`; // some are used again, here or on another connection
        return { room: rooms[roll(5)] as string, sender: users[roll(8)] as string, key, content: `of ${connection}` };
      }),
    );
  });
  const batches = await sendAll(work);

  await assertWhole(rooms);
  const bySeq = new Map<string, Answered[]>();
  for (const one of batches.flat()) {
    const key = [one.send.room, one.send.sender, one.send.key].join('/');
    bySeq.set(key, [...(bySeq.get(key) ?? []), one]);
  }
  for (const [key, all] of bySeq) {
    assert.equal(all.filter((one) => one.answer.outcome === 'appended').length, 1, key);
    assert.equal(new Set(all.map((one) => JSON.stringify({ ...one.answer, idx: 0, outcome: '' }))).size, 1, key);
  }
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from messages where room_id = any (${rooms})`.execute(db);
  assert.equal(rows[0]?.total, bySeq.size);
  for (const batch of batches) {
    for (const room of rooms) {
      const seqs = batch
        .filter((one) => one.send.room === room && one.answer.outcome === 'appended')
        .map((one) => one.answer.seq as number);
      assert.deepEqual(
        seqs,
        seqs.toSorted((a, b) => a - b),
        'the order of the batch',
      );
    }
  }
});

test('the same send on all connections at once is one message with one answer', async () => {
  const { rooms, users } = await createRooms(db, { rooms: 2, users: 1 });
  for (let round = 0; round < 10; round++) {
    const sends = rooms.map((room) => ({ room, sender: users[0] as string, key: `round ${round}` }));
    const batches = await sendAll(Array.from({ length: CONNECTIONS }, () => [sends]));
    for (const [index] of rooms.entries()) {
      const answers = batches.map((batch) => (batch[index] as Answered).answer);
      assert.equal(answers.filter((answer) => answer.outcome === 'appended').length, 1);
      assert.equal(new Set(answers.map((answer) => answer.id)).size, 1);
      assert.ok(answers.every((answer) => answer.seq === round + 1));
    }
  }
  await assertWhole(rooms);
});

test('rooms in opposite orders do not deadlock', async () => {
  const { rooms, users } = await createRooms(db, { rooms: 6, users: 1 });
  const sends = rooms.map((room) => ({ room, sender: users[0] as string }));
  const work = Array.from({ length: 8 }, (_, connection) =>
    Array.from({ length: 40 }, () => (connection % 2 === 0 ? sends : sends.toReversed())),
  );
  await sendAll(work);
  await assertWhole(rooms);
});

test('readers who move their marks in key order, without the rooms, do not deadlock with senders', async () => {
  const { rooms, users } = await createRooms(db, { rooms: 8, users: 3 });
  const sends = rooms.flatMap((room) => users.map((sender) => ({ room, sender }))).toReversed();
  const done = new AbortController();
  const reading = Array.from({ length: 4 }, async () => {
    while (!done.signal.aborted) {
      await sql`with held as (
          select room_id, user_id from members where room_id = any (${rooms})
          order by room_id, user_id for no key update
        )
        update members m set last_read_seq = m.last_read_seq from held h
        where m.room_id = h.room_id and m.user_id = h.user_id`.execute(db);
    }
  });
  try {
    await sendAll(Array.from({ length: 4 }, () => Array.from({ length: 60 }, () => sends)));
  } finally {
    done.abort();
    await Promise.all(reading);
  }
  await assertWhole(rooms);
});
