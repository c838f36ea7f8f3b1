import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { sql } from 'kysely';
import { createDatabase, eventually, expectNoLeaks } from '@parley/test-support';
import type { AppendedRow, StoredRow } from './append.ts';
import type { OpenDatabase } from './connect.ts';
import { isTransient } from './errors.ts';
import type { MessageRow } from './schema.ts';
import { append, appendOne, countWaiting, createRooms, openOn } from './testing/world.ts';

const opened: OpenDatabase = openOn({ after }, await createDatabase());
expectNoLeaks({ after });

/** A room, some members, and a stranger to it. */
async function hall(): Promise<{ room: string; ann: string; bob: string; stranger: string }> {
  const { rooms, users } = await createRooms(opened.db, { rooms: 1, users: 3 });
  const [room, ann, bob, stranger] = [rooms[0], users[0], users[1], users[2]] as [string, string, string, string];
  await opened.db.deleteFrom('members').where('room_id', '=', room).where('user_id', '=', stranger).execute();
  return { room, ann, bob, stranger };
}

async function messagesOf(room: string): Promise<MessageRow[]> {
  return opened.db.selectFrom('messages').selectAll().where('room_id', '=', room).orderBy('seq').execute();
}

async function loadRoom(room: string) {
  return opened.db.selectFrom('rooms').selectAll().where('id', '=', room).executeTakeFirstOrThrow();
}

async function lastRead(room: string, user: string): Promise<number> {
  const row = await opened.db
    .selectFrom('members')
    .select('last_read_seq')
    .where('room_id', '=', room)
    .where('user_id', '=', user)
    .executeTakeFirstOrThrow();
  return row.last_read_seq;
}

async function mute(room: string, user: string, until: string): Promise<void> {
  await sql`update members set muted_until = now() + ${until}::interval
    where room_id = ${room} and user_id = ${user}`.execute(opened.db);
}

async function slowDown(room: string, ms: number): Promise<void> {
  await sql`update rooms set slow_mode_ms = ${ms} where id = ${room}`.execute(opened.db);
}

async function databaseTime(): Promise<number> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(opened.db);
  return (rows[0] as { now: Date }).now.getTime();
}

function outcomes(answers: AppendedRow[]): string[] {
  return answers.map((answer) => answer.outcome);
}

function stored(answer: AppendedRow): StoredRow {
  assert.ok(answer.outcome === 'appended' || answer.outcome === 'duplicate', answer.outcome);
  return answer;
}

describe('a new message', () => {
  test('the answer is what the table holds', async () => {
    const { room, ann } = await hall();
    const send = { room, sender: ann, key: 'k1', id: randomUUID(), content: 'Grüße 🙂\n' };
    const answer = await appendOne(opened.db, send);
    const [row] = await messagesOf(room);
    assert.ok(row !== undefined);
    assert.deepEqual(answer, {
      idx: 1,
      outcome: 'appended',
      id: send.id,
      seq: 1,
      content: send.content,
      created_at: row.created_at,
      reply_to: null,
      rev: null,
      edited_at: null,
      deleted_at: null,
      sender_name: `Name of ${ann}`,
      muted_until: null,
    });
    assert.deepEqual(row, {
      room_id: room,
      seq: 1,
      id: send.id,
      sender_id: ann,
      client_msg_id: 'k1',
      content: send.content,
      created_at: row.created_at,
      reply_to: null,
      rev: null,
      edited_at: null,
      deleted_at: null,
    });
  });

  test("moves the head of the room and the own reading, nobody else's", async () => {
    const { room, ann, bob } = await hall();
    await append(opened.db, [
      { room, sender: ann },
      { room, sender: bob },
      { room, sender: ann },
    ]);
    const { head_seq, last_message_at } = await loadRoom(room);
    const rows = await messagesOf(room);
    assert.equal(head_seq, 3);
    assert.deepEqual(last_message_at, rows[2]?.created_at);
    assert.equal(await lastRead(room, ann), 3);
    assert.equal(await lastRead(room, bob), 2);
    const members = await opened.db.selectFrom('members').selectAll().where('room_id', '=', room).execute();
    assert.ok(members.every((member) => member.last_sent_at?.getTime() === last_message_at?.getTime()));
  });

  test('has its time to the millisecond, never before the one before it', async () => {
    const { room, ann } = await hall();
    for (let count = 0; count < 20; count++) await appendOne(opened.db, { room, sender: ann });
    const { rows } = await sql<{ exact: boolean; ordered: boolean }>`
      select bool_and(date_trunc('milliseconds', created_at) = created_at) as exact,
        bool_and(created_at >= before) as ordered
      from (select created_at, lag(created_at, 1, created_at) over (order by seq) as before
        from messages where room_id = ${room}) m`.execute(opened.db);
    assert.deepEqual(rows, [{ exact: true, ordered: true }]);
  });

  test('may answer one that is there', async () => {
    const { room, ann, bob } = await hall();
    await appendOne(opened.db, { room, sender: ann });
    const answer = await appendOne(opened.db, { room, sender: bob, replyTo: 1 });
    assert.equal(stored(answer).reply_to, 1);
    assert.equal((await messagesOf(room))[1]?.reply_to, 1);
  });

  test('an empty batch is no error', async () => {
    assert.deepEqual(await append(opened.db, []), []);
  });
});

describe('a batch', () => {
  test('keeps its order in every room', async () => {
    const { rooms, users } = await createRooms(opened.db, { rooms: 3, users: 4 });
    const sends = Array.from({ length: 30 }, (_, index) => ({
      room: rooms[(index * 7) % 3] as string,
      sender: users[(index * 5) % 4] as string,
      // So that no order but the batch's gives the right answer.
      key: `${(index * 11) % 30}`,
      content: `${index}`,
    }));
    const answers = await append(opened.db, sends);
    assert.ok(answers.every((answer) => answer.outcome === 'appended'));
    for (const room of rooms) {
      const expected = sends.filter((send) => send.room === room).map((send) => send.content);
      assert.deepEqual(
        (await messagesOf(room)).map((row) => row.content),
        expected,
      );
    }
    assert.deepEqual(
      answers.map((answer) => answer.content),
      sends.map((send) => send.content),
    );
  });
});

describe('a duplicate', () => {
  test('of an earlier batch: the stored message, whatever is said now', async () => {
    const { room, ann } = await hall();
    const first = stored(await appendOne(opened.db, { room, sender: ann, key: 'k', content: 'first' }));
    await appendOne(opened.db, { room, sender: ann });
    const again = await appendOne(opened.db, { room, sender: ann, key: 'k', content: 'second', replyTo: 2 });
    assert.deepEqual(again, { ...first, outcome: 'duplicate' });
    assert.equal((await loadRoom(room)).head_seq, 2);
    assert.equal(await lastRead(room, ann), 2);
  });

  test('within a batch: the first one counts', async () => {
    const { room, ann } = await hall();
    const answers = await append(opened.db, [
      { room, sender: ann, key: 'a' },
      { room, sender: ann, key: 'k', content: 'first' },
      { room, sender: ann, key: 'k', content: 'second', replyTo: 1 },
      { room, sender: ann, key: 'b' },
      { room, sender: ann, key: 'k', content: 'third' },
    ]);
    assert.deepEqual(outcomes(answers), ['appended', 'appended', 'reply_not_found', 'appended', 'duplicate']);
    assert.deepEqual(answers[4], { ...answers[1], idx: 5, outcome: 'duplicate' });
    assert.deepEqual(
      (await messagesOf(room)).map((row) => [row.seq, row.content]),
      [
        [1, 'hello'],
        [2, 'first'],
        [3, 'hello'],
      ],
    );
  });

  test('the key belongs to a sender in a room', async () => {
    const { rooms, users } = await createRooms(opened.db, { rooms: 2, users: 2 });
    const sends = rooms.flatMap((room) => users.map((sender) => ({ room, sender, key: 'same' })));
    assert.deepEqual(outcomes(await append(opened.db, sends)), ['appended', 'appended', 'appended', 'appended']);
    assert.deepEqual(outcomes(await append(opened.db, sends)), ['duplicate', 'duplicate', 'duplicate', 'duplicate']);
  });

  test('carries the latest state of the message', async () => {
    const { room, ann } = await hall();
    await appendOne(opened.db, { room, sender: ann, key: 'k' });
    const at = new Date('2031-01-01T00:00:00.000Z');
    await opened.db
      .updateTable('messages')
      .set({ content: '', rev: 4, edited_at: at, deleted_at: at })
      .where('room_id', '=', room)
      .execute();
    const again = stored(await appendOne(opened.db, { room, sender: ann, key: 'k', content: 'new' }));
    assert.deepEqual(
      [again.outcome, again.content, again.rev, again.edited_at, again.deleted_at],
      ['duplicate', '', 4, at, at],
    );
  });

  test('is one while muted, too', async () => {
    const { room, ann } = await hall();
    await appendOne(opened.db, { room, sender: ann, key: 'k' });
    await mute(room, ann, '1 hour');
    assert.equal((await appendOne(opened.db, { room, sender: ann, key: 'k' })).outcome, 'duplicate');
  });
});

describe('a refusal', () => {
  const nothing = {
    id: null,
    seq: null,
    content: null,
    created_at: null,
    reply_to: null,
    rev: null,
    edited_at: null,
    deleted_at: null,
  };

  async function assertUntouched(room: string): Promise<void> {
    assert.deepEqual(await messagesOf(room), []);
    const { head_seq, last_message_at } = await loadRoom(room);
    assert.deepEqual([head_seq, last_message_at], [0, null]);
  }

  test('room_not_found', async () => {
    const { ann } = await hall();
    const answer = await appendOne(opened.db, { room: randomUUID(), sender: ann });
    assert.deepEqual(
      { ...answer, sender_name: null },
      { idx: 1, outcome: 'room_not_found', ...nothing, sender_name: null, muted_until: null },
    );
  });

  test('not_a_member, known or not', async () => {
    const { room, stranger } = await hall();
    for (const sender of [stranger, 'nobody']) {
      const answer = await appendOne(opened.db, { room, sender });
      assert.deepEqual(
        { ...answer, sender_name: null },
        { idx: 1, outcome: 'not_a_member', ...nothing, sender_name: null, muted_until: null },
      );
    }
    await assertUntouched(room);
  });

  test('not_a_member: who left gets no duplicate back either', async () => {
    const { room, ann } = await hall();
    await appendOne(opened.db, { room, sender: ann, key: 'k', content: 'mine' });
    await opened.db.deleteFrom('members').where('room_id', '=', room).where('user_id', '=', ann).execute();
    const answer = await appendOne(opened.db, { room, sender: ann, key: 'k' });
    assert.deepEqual([answer.outcome, answer.id, answer.seq, answer.content], ['not_a_member', null, null, null]);
  });

  test('muted, until then', async () => {
    const { room, ann, bob } = await hall();
    await mute(room, ann, '1 hour');
    const answer = await appendOne(opened.db, { room, sender: ann });
    assert.equal(answer.outcome, 'muted');
    assert.ok(answer.muted_until instanceof Date && answer.muted_until > new Date());
    await assertUntouched(room);

    await mute(room, ann, '-1 second');
    assert.equal((await appendOne(opened.db, { room, sender: ann })).outcome, 'appended');
    assert.equal((await appendOne(opened.db, { room, sender: bob })).outcome, 'appended');
  });

  test('blocked, by the other one of a direct room and only there', async () => {
    const { room, ann, bob } = await hall();
    await appendOne(opened.db, { room, sender: ann, key: 'before' });
    await sql`insert into user_blocks (user_id, blocked_id) values (${bob}, ${ann})`.execute(opened.db);
    assert.equal((await appendOne(opened.db, { room, sender: ann })).outcome, 'appended');

    await sql`update rooms set kind = 'direct', direct_key = id::text where id = ${room}`.execute(opened.db);
    const answer = await appendOne(opened.db, { room, sender: ann });
    assert.deepEqual(
      { ...answer, sender_name: null },
      { idx: 1, outcome: 'blocked', ...nothing, sender_name: null, muted_until: null },
    );
    assert.equal((await appendOne(opened.db, { room, sender: ann, key: 'before' })).outcome, 'duplicate');
    assert.equal((await appendOne(opened.db, { room, sender: bob })).outcome, 'appended');

    await sql`delete from user_blocks where blocked_id = ${ann}`.execute(opened.db);
    assert.equal((await appendOne(opened.db, { room, sender: ann })).outcome, 'appended');
  });

  test('slow_mode, until then', async () => {
    const { room, ann, bob } = await hall();
    // Before the room was slow: the time of the last message is kept anyway.
    const first = stored(await appendOne(opened.db, { room, sender: ann, key: 'first' }));
    await slowDown(room, 3_600_000);
    const answer = await appendOne(opened.db, { room, sender: ann });
    const next = new Date(first.created_at.getTime() + 3_600_000);
    assert.deepEqual(answer, {
      idx: 1,
      outcome: 'slow_mode',
      ...nothing,
      sender_name: `Name of ${ann}`,
      muted_until: next,
    });
    assert.equal((await appendOne(opened.db, { room, sender: ann, key: 'first' })).outcome, 'duplicate');
    assert.equal((await appendOne(opened.db, { room, sender: bob })).outcome, 'appended');
    assert.equal((await loadRoom(room)).head_seq, 2);

    await slowDown(room, 1);
    await eventually(async () => assert.ok((await databaseTime()) > first.created_at.getTime() + 1));
    assert.equal((await appendOne(opened.db, { room, sender: ann })).outcome, 'appended');
  });

  test('slow_mode: of a batch the first one that counts, with its duplicates', async () => {
    const { room, ann, bob } = await hall();
    await slowDown(room, 60_000);
    const answers = await append(opened.db, [
      { room, sender: ann, key: 'not this', replyTo: 9 },
      { room, sender: ann, key: 'a' },
      { room, sender: bob, key: 'a' },
      { room, sender: ann, key: 'b' },
      { room, sender: ann, key: 'a' },
      { room, sender: ann, key: 'b' },
    ]);
    assert.deepEqual(outcomes(answers), [
      'reply_not_found',
      'appended',
      'appended',
      'slow_mode',
      'duplicate',
      'slow_mode',
    ]);
    const next = new Date(stored(answers[1] as AppendedRow).created_at.getTime() + 60_000);
    assert.deepEqual([answers[3]?.muted_until, answers[5]?.muted_until], [next, next]);
    assert.deepEqual([answers[1]?.muted_until, answers[4]?.muted_until], [null, null]);
    assert.deepEqual(
      (await messagesOf(room)).map((row) => [row.seq, row.sender_id]),
      [
        [1, ann],
        [2, bob],
      ],
    );
  });

  test('slow_mode does not concern moderators and owners', async () => {
    const { room, ann, bob } = await hall();
    await slowDown(room, 60_000);
    for (const [sender, role] of [
      [ann, 'owner'],
      [bob, 'moderator'],
    ] as const) {
      await sql`update members set role = ${role} where room_id = ${room} and user_id = ${sender}`.execute(opened.db);
      const answers = await append(opened.db, [
        { room, sender },
        { room, sender },
      ]);
      assert.deepEqual(outcomes(answers), ['appended', 'appended']);
    }
  });

  test('reply_not_found', async () => {
    const { room, ann } = await hall();
    for (const replyTo of [1, 0, -1, Number.MAX_SAFE_INTEGER]) {
      const answer = await appendOne(opened.db, { room, sender: ann, replyTo });
      assert.equal(answer.outcome, 'reply_not_found');
    }
    await assertUntouched(room);
  });

  test('one changes nothing for the others', async () => {
    const { room, ann, bob, stranger } = await hall();
    await appendOne(opened.db, { room, sender: ann, key: 'old' });
    const { room: quiet, ann: muted } = await hall();
    await mute(quiet, muted, '1 hour');
    const answers = await append(opened.db, [
      { room, sender: stranger, content: 'x' },
      { room, sender: ann, content: 'one' },
      { room: randomUUID(), sender: ann, content: 'x' },
      { room, sender: bob, content: 'x', replyTo: 9 },
      { room, sender: ann, key: 'old', content: 'x' },
      { room: quiet, sender: muted, content: 'x' },
      { room, sender: bob, content: 'two', replyTo: 1 },
    ]);
    assert.deepEqual(outcomes(answers), [
      'not_a_member',
      'appended',
      'room_not_found',
      'reply_not_found',
      'duplicate',
      'muted',
      'appended',
    ]);
    assert.deepEqual(
      (await messagesOf(room)).map((row) => [row.seq, row.content]),
      [
        [1, 'hello'],
        [2, 'one'],
        [3, 'two'],
      ],
    );
    assert.deepEqual(await messagesOf(quiet), []);
  });
});

test('a gateway of the release before appends beside the new ones', async () => {
  const { room, ann } = await hall();
  await appendOne(opened.db, { room, sender: ann, key: 'k' });
  await slowDown(room, 60_000);
  const { rows } = await sql<AppendedRow>`select * from append_messages(array[${room}, ${room}]::uuid[],
    array[${ann}, ${ann}], array['k', 'l'], array[gen_random_uuid(), gen_random_uuid()], array['x', 'y'],
    array[null, null]::bigint[]) order by idx`.execute(opened.db);
  assert.deepEqual(
    rows.map((row) => [row.outcome, row.seq]),
    [
      ['duplicate', 1],
      ['appended', 2],
    ],
  );
  assert.equal((await appendOne(opened.db, { room, sender: ann, key: 'l' })).seq, 2);
});

describe('transactions', () => {
  test('a rollback leaves no gap and no trace', async () => {
    const { room, ann } = await hall();
    await appendOne(opened.db, { room, sender: ann });
    const before = await loadRoom(room);
    const undone = opened.db.transaction().execute(async (trx) => {
      assert.equal((await appendOne(trx, { room, sender: ann, key: 'k' })).seq, 2);
      throw new Error('undo');
    });
    await assert.rejects(undone, /undo/);
    assert.deepEqual(await loadRoom(room), before);
    assert.equal(await lastRead(room, ann), 1);
    const again = await appendOne(opened.db, { room, sender: ann, key: 'k' });
    assert.deepEqual([again.outcome, again.seq], ['appended', 2]);
  });

  test('a send waits for the one before it, and sees what that one did', async () => {
    const { room, ann, bob } = await hall();
    let waiting: Promise<AppendedRow[]> | undefined;
    await opened.db.transaction().execute(async (trx) => {
      await appendOne(trx, { room, sender: ann, key: 'k', content: 'first' });
      waiting = append(opened.db, [
        { room, sender: ann, key: 'k', content: 'second' },
        { room, sender: bob, replyTo: 1 },
      ]);
      await eventually(async () => assert.equal(await countWaiting(opened.db), 1));
    });
    const answers = (await waiting) ?? [];
    assert.deepEqual(outcomes(answers), ['duplicate', 'appended']);
    assert.deepEqual([answers[0]?.content, answers[1]?.seq], ['first', 2]);
  });

  test('who is removed while the send waits for the room is no member', async () => {
    const { room, ann, bob } = await hall();
    let waiting: Promise<AppendedRow[]> | undefined;
    await opened.db.transaction().execute(async (trx) => {
      await trx.selectFrom('rooms').select('id').where('id', '=', room).forNoKeyUpdate().execute();
      await trx.deleteFrom('members').where('room_id', '=', room).where('user_id', '=', ann).execute();
      waiting = append(opened.db, [
        { room, sender: ann },
        { room, sender: bob },
      ]);
      await eventually(async () => assert.equal(await countWaiting(opened.db), 1));
    });
    assert.deepEqual(outcomes((await waiting) ?? []), ['not_a_member', 'appended']);
  });

  test('the wait for a room ends after the time that was given for it', async () => {
    const { room, ann } = await hall();
    await opened.db.transaction().execute(async (trx) => {
      await appendOne(trx, { room, sender: ann });
      const waiting = append(opened.db, [{ room, sender: ann }], { lockTimeoutMs: 20 });
      await assert.rejects(waiting, (error) => isTransient(error));
    });
    assert.equal((await loadRoom(room)).head_seq, 1);
    // Of that one call alone: the connection's own time-out counts again.
    const { rows } = await sql<{ timeout: string }>`select current_setting('lock_timeout') as timeout
      from append_messages(array[${room}]::uuid[], array[${ann}], array['x'], array[gen_random_uuid()], array['x'],
        array[null]::bigint[], 20)`.execute(opened.db);
    assert.equal(rows[0]?.timeout, '20ms');
    const settings = await Promise.all(
      Array.from({ length: 4 }, () => sql<{ lock_timeout: string }>`show lock_timeout`.execute(opened.db)),
    );
    assert.ok(settings.every((setting) => setting.rows[0]?.lock_timeout === '10s'));
  });

  test('rooms do not wait for each other', async () => {
    const [here, there] = [await hall(), await hall()];
    await opened.db.transaction().execute(async (trx) => {
      await appendOne(trx, { room: here.room, sender: here.ann });
      assert.equal((await appendOne(opened.db, { room: there.room, sender: there.ann })).outcome, 'appended');
    });
  });

  test('joining a room does not wait for its messages', async () => {
    const { room, ann, stranger } = await hall();
    await opened.db.transaction().execute(async (trx) => {
      await appendOne(trx, { room, sender: ann });
      await opened.db.insertInto('members').values({ room_id: room, user_id: stranger }).execute();
    });
  });
});
