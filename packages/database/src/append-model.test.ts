import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { sql } from 'kysely';
import { createDatabase, expectNoLeaks } from '@parley/test-support';
import { append, createRooms, openOn } from './testing/world.ts';

const ROOMS = 3;
const USERS = 3;
const KEYS = 5;
/** Longer than a run takes: what is too soon stays so. */
const SLOW_MS = 3_600_000;

const { db } = openOn({ after }, await createDatabase(), { poolMax: 1 });
expectNoLeaks({ after });

/** Rooms and users by their index; room ROOMS is none. */
interface ModelSend {
  room: number;
  user: number;
  key: number;
  replyTo: number | undefined;
}
type Step =
  | { act: 'send'; sends: ModelSend[] }
  | { act: 'leave' | 'join' | 'mute' | 'unmute'; room: number; user: number }
  | { act: 'promote' | 'demote' | 'rest'; room: number; user: number }
  | { act: 'slow' | 'fast'; room: number }
  | { act: 'block' | 'unblock'; user: number; blocked: number }
  | { act: 'change'; room: number; seq: number };
type MemberStep = Extract<Step, { user: number; room: number }>;

interface ModelMessage {
  user: number;
  key: number;
  content: string;
  replyTo: number | null;
  rev: number | null;
}
interface ModelMember {
  lastRead: number;
  muted: boolean;
  isModerator: boolean;
  /** Whether the last message is newer than a slow room allows. */
  hasJustSent: boolean;
}

const newMember = (lastRead: number): ModelMember => ({
  lastRead,
  muted: false,
  isModerator: false,
  hasJustSent: false,
});

/** The direct room, of the first two users; only they can block each other in it. */
const DIRECT = 0;

const room = fc.nat({ max: ROOMS - 1 });
const user = fc.nat({ max: USERS - 1 });
const sends = fc.array(
  fc.record({
    room: fc.oneof({ weight: 12, arbitrary: room }, { weight: 1, arbitrary: fc.constant(ROOMS) }),
    user,
    key: fc.nat({ max: KEYS - 1 }),
    replyTo: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined, freq: 3 }),
  }),
  { maxLength: 12 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant('send' as const), sends }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('leave', 'join', 'mute', 'unmute'), room, user }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('promote', 'demote', 'rest'), room, user }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('slow', 'fast'), room }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('block', 'unblock'), user, blocked: user }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('change' as const), room, seq: fc.integer({ min: 1, max: 8 }) }),
  },
);

/** What append_messages promises, said in the plainest way. */
class Model {
  readonly messages: ModelMessage[][] = Array.from({ length: ROOMS }, () => []);
  readonly members: (ModelMember | undefined)[][] = Array.from({ length: ROOMS }, (__, room) =>
    Array.from({ length: USERS }, (_, who) => (room === DIRECT && who > 1 ? undefined : newMember(0))),
  );

  readonly slow = new Set<number>();
  /** `blocker blocked` */
  readonly blocks = new Set<string>();
  changes = 0;

  /** The outcome, seq, content, reply and rev of every send. */
  append(batch: (ModelSend & { content: string })[]): unknown[] {
    const heads = this.messages.map((list) => list.length);
    const isOld = (one: ModelSend, seq: number) => seq <= (heads[one.room] ?? 0);
    return batch.map((one) => {
      const list = this.messages[one.room];
      if (list === undefined) return ['room_not_found', null, null, null, null];
      const member = this.members[one.room]?.[one.user];
      if (member === undefined) return ['not_a_member', null, null, null, null];
      const seq = list.findIndex((message) => message.user === one.user && message.key === one.key) + 1;
      const found = list[seq - 1];
      if (found !== undefined && isOld(one, seq)) return answer('duplicate', seq, found);
      const isBlocked = this.members[DIRECT]?.some((other, who) => other && this.blocks.has(`${who} ${one.user}`));
      if (one.room === DIRECT && isBlocked) return ['blocked', null, null, null, null];
      if (member.muted) return ['muted', null, null, null, null];
      // A reply to a message of the same batch: nobody can know its seq yet.
      if (one.replyTo !== undefined && (one.replyTo < 1 || !isOld(one, one.replyTo))) {
        return ['reply_not_found', null, null, null, null];
      }
      if (found !== undefined) return answer('duplicate', seq, found);
      const isSlow = this.slow.has(one.room) && !member.isModerator;
      if (isSlow && member.hasJustSent) return ['slow_mode', null, null, null, null];
      member.hasJustSent = true;
      const { user: by, key, content, replyTo = null } = one;
      const message = { user: by, key, content, replyTo, rev: null };
      member.lastRead = list.push(message);
      return answer('appended', list.length, message);
    });
  }
}

function answer(outcome: string, seq: number, message: ModelMessage): unknown[] {
  return [outcome, seq, message.content, message.replyTo, message.rev];
}

test('any history of batches and changes goes as the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const { rooms, users } = await createRooms(db, { rooms: ROOMS, users: USERS });
      await makeDirect(rooms[DIRECT] as string, users);
      const roomId = (index: number) => rooms[index] ?? '00000000-0000-7000-8000-000000000000';
      const model = new Model();
      let count = 0;
      for (const one of steps) {
        if (one.act === 'send') {
          const batch = one.sends.map((send) => ({ ...send, content: `content ${++count}` }));
          const answers = await append(
            db,
            batch.map((send) => ({
              room: roomId(send.room),
              sender: users[send.user] as string,
              key: `key ${send.key}`,
              content: send.content,
              ...(send.replyTo !== undefined && { replyTo: send.replyTo }),
            })),
          );
          assert.deepEqual(
            answers.map((row) => [row.outcome, row.seq, row.content, row.reply_to, row.rev]),
            model.append(batch),
          );
        } else if (one.act === 'change') {
          await change(model, one, roomId(one.room));
        } else if (!('user' in one)) {
          if (one.act === 'slow') model.slow.add(one.room);
          else model.slow.delete(one.room);
          const slowModeMs = one.act === 'slow' ? SLOW_MS : 0;
          await sql`update rooms set slow_mode_ms = ${slowModeMs} where id = ${roomId(one.room)}`.execute(db);
        } else if (!('room' in one)) {
          await changeBlock(model, one, users);
        } else {
          await changeMember(model, one, { roomId: roomId(one.room), userId: users[one.user] as string });
        }
      }
      await assertSame(model, rooms, users);
    }),
    { numRuns: 150 },
  );
});

async function change(model: Model, { room: index, seq }: { room: number; seq: number }, roomId: string) {
  const message = model.messages[index]?.[seq - 1];
  if (message === undefined) return;
  message.rev = ++model.changes;
  message.content += '!';
  await db
    .updateTable('messages')
    .set({ content: message.content, rev: message.rev })
    .where('room_id', '=', roomId)
    .where('seq', '=', seq)
    .execute();
}

async function makeDirect(roomId: string, users: string[]): Promise<void> {
  await sql`update rooms set kind = 'direct', direct_key = ${roomId} where id = ${roomId}`.execute(db);
  const pair = users.slice(0, 2);
  await sql`delete from members where room_id = ${roomId} and not user_id = any(${pair})`.execute(db);
}

async function changeBlock(
  model: Model,
  { act, user: by, blocked }: Extract<Step, { blocked: number }>,
  users: string[],
): Promise<void> {
  const [blocker, who] = [users[by], users[blocked]];
  if (by === blocked) return;
  if (act === 'block') {
    model.blocks.add(`${by} ${blocked}`);
    await sql`insert into user_blocks (user_id, blocked_id) values (${blocker}, ${who}) on conflict do nothing`.execute(
      db,
    );
  } else {
    model.blocks.delete(`${by} ${blocked}`);
    await sql`delete from user_blocks where user_id = ${blocker} and blocked_id = ${who}`.execute(db);
  }
}

async function changeMember(
  model: Model,
  { act, room: index, user: who }: MemberStep,
  { roomId, userId }: { roomId: string; userId: string },
): Promise<void> {
  const members = model.members[index] as (ModelMember | undefined)[];
  const member = members[who];
  const head = model.messages[index]?.length ?? 0;
  const mine = sql`where room_id = ${roomId} and user_id = ${userId}`;
  if (act === 'leave') {
    members[who] = undefined;
    await sql`delete from members ${mine}`.execute(db);
  } else if (act === 'join') {
    if (member !== undefined) return;
    members[who] = newMember(head);
    await db.insertInto('members').values({ room_id: roomId, user_id: userId, last_read_seq: head }).execute();
  } else if (act === 'promote' || act === 'demote') {
    if (member !== undefined) member.isModerator = act === 'promote';
    await sql`update members set role = ${act === 'promote' ? 'moderator' : 'member'} ${mine}`.execute(db);
  } else if (act === 'rest') {
    if (member !== undefined) member.hasJustSent = false;
    await sql`update members set last_sent_at = last_sent_at - interval '1 hour' ${mine}`.execute(db);
  } else {
    if (member !== undefined) member.muted = act === 'mute';
    const until = act === 'mute' ? sql`now() + interval '1 hour'` : sql`now() - interval '1 second'`;
    await sql`update members set muted_until = ${until} ${mine}`.execute(db);
  }
}

/** The tables hold what the model holds. */
async function assertSame(model: Model, rooms: string[], users: string[]): Promise<void> {
  for (const [index, id] of rooms.entries()) {
    const messages = await db.selectFrom('messages').selectAll().where('room_id', '=', id).orderBy('seq').execute();
    assert.deepEqual(
      messages.map((row) => [row.seq, users.indexOf(row.sender_id), row.client_msg_id, row.content, row.reply_to]),
      (model.messages[index] ?? []).map((message, place) => [
        place + 1,
        message.user,
        `key ${message.key}`,
        message.content,
        message.replyTo,
      ]),
    );
    const head = await db.selectFrom('rooms').select('head_seq').where('id', '=', id).executeTakeFirstOrThrow();
    assert.equal(head.head_seq, messages.length);
    const members = await db.selectFrom('members').selectAll().where('room_id', '=', id).execute();
    assert.deepEqual(
      users.map((userId) => members.find((row) => row.user_id === userId)?.last_read_seq),
      model.members[index]?.map((member) => member?.lastRead),
    );
  }
}
