import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '@parley/test-support';
import { Memberships } from './memberships.ts';

/** Reads rooms when it is told to. */
function membershipsThatRead(rooms: Record<string, string[]>) {
  const reads: (() => void)[] = [];
  const memberships = new Memberships({
    read: async (userIds) => {
      const { promise, resolve } = deferred();
      const rows = userIds.flatMap((user_id) => (rooms[user_id] ?? []).map((room_id) => ({ room_id, user_id })));
      reads.push(resolve);
      await promise;
      return rows;
    },
    onError: (error) => assert.fail(String(error)),
  });
  const roomsOf = (userId: string): string[] => [...memberships.roomsOf(userId)].toSorted();
  return { memberships, roomsOf, reads };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('what was read for a CONNECT is not read again', async () => {
  const { memberships, roomsOf, reads } = membershipsThatRead({});
  const take = memberships.expect('ann');
  take(['a', 'b']);
  await memberships.hold('ann');
  assert.deepEqual(roomsOf('ann'), ['a', 'b']);
  assert.deepEqual([...memberships.usersIn('a')], ['ann']);
  assert.equal(reads.length, 0);
});

test('what happens while it is read counts more', () => {
  const { memberships, roomsOf } = membershipsThatRead({});
  const take = memberships.expect('ann');
  memberships.note('a', 'ann', false);
  memberships.note('c', 'ann', true);
  take(['a', 'b']);
  assert.deepEqual(roomsOf('ann'), ['b', 'c']);
  memberships.note('b', 'ann', false);
  take(['a', 'b']); // another CONNECT at the same time
  assert.deepEqual(roomsOf('ann'), ['c']);
});

test('what was read before words may have been lost does not count', async () => {
  const { memberships, roomsOf, reads } = membershipsThatRead({ ann: ['new'] });
  const take = memberships.expect('ann');
  const readAnew = memberships.readAnew();
  take(['old']);
  assert.deepEqual(roomsOf('ann'), []);
  await turn();
  reads[0]?.();
  await readAnew;
  assert.deepEqual(roomsOf('ann'), ['new']);
});

test('who was dropped meanwhile is read by who holds it', async () => {
  const { memberships, roomsOf, reads } = membershipsThatRead({ ann: ['a'] });
  const take = memberships.expect('ann');
  memberships.drop('ann');
  take(['old']);
  const held = memberships.hold('ann');
  await turn();
  reads[0]?.();
  await held;
  assert.deepEqual(roomsOf('ann'), ['a']);
  assert.equal(memberships.usersIn('old').size, 0);
});
