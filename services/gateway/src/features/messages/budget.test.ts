import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWithinBudget, type Wanted } from './budget.ts';
import type { MessageRow } from './messages.sql.ts';

const row = (roomId: string, length: number): MessageRow =>
  ({ room_id: roomId, content: 'x'.repeat(length) }) as unknown as MessageRow;
const roomsOf = (count: number, rows: number): Wanted[] =>
  Array.from({ length: count }, (_, index) => ({ roomId: `r${index}`, rows }));

test('many small rooms are one query', async () => {
  let queries = 0;
  const { rows, leftOut } = await readWithinBudget(roomsOf(200, 5), async (group) => {
    queries += 1;
    return group.map(({ roomId }) => row(roomId, 10));
  });
  assert.deepEqual([queries, rows.size, leftOut.size], [1, 200, 0]);
});

test('large rooms are read in groups, each room once', async () => {
  const read: string[] = [];
  await readWithinBudget(roomsOf(25, 200), async (group) => {
    assert(group.length <= 10);
    read.push(...group.map(({ roomId }) => roomId));
    return [];
  });
  assert.equal(new Set(read).size, 25);
  assert.equal(read.length, 25);
});

test('what does not fit into the answer is not read, and is told', async () => {
  const { rows, leftOut } = await readWithinBudget(roomsOf(30, 1_000), async (group) =>
    group.map(({ roomId }) => row(roomId, 1_000_000)),
  );
  assert.equal(rows.size, 4);
  assert.equal(leftOut.size, 26);
});

test('nothing wanted is nothing read', async () => {
  const { rows } = await readWithinBudget([], () => assert.fail('no query'));
  assert.equal(rows.size, 0);
});
