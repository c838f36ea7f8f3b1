import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 4: message:history, over sockets and REST alike.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const ana = await connect({ after }, here, 'ana');
const anas = await token('ana');
const COUNT = 130;

const { room } = await ana.ok('room:create', { name: 'Long' });
await Promise.all(Array.from({ length: COUNT }, (_, index) => ana.send(room.id, `m${index + 1}`)));
const { room: empty } = await ana.ok('room:create', { name: 'Empty' });

interface Page {
  before?: number;
  after?: number;
  around?: number;
  limit?: number;
}

/** First and last seq and hasMore; both ways of asking have to answer alike, ascending and without a gap. */
async function page(query: Page, roomId = room.id): Promise<[number | undefined, number | undefined, boolean]> {
  const answer = await ana.ok('message:history', { roomId, ...query });
  const params = { id: roomId };
  assert.deepEqual(await callOk(there, 'roomMessagesGet', { token: anas, params, query: { ...query } }), answer);
  const seqs = answer.messages.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => (seqs[0] ?? 0) + index),
  );
  for (const { seq, content } of answer.messages) if (roomId === room.id) assert.equal(content, `m${seq}`);
  return [seqs[0], seqs.at(-1), answer.hasMore];
}

const nothing = [undefined, undefined, false];

test('without a place it is the newest page, of 50', async () => {
  assert.deepEqual(await page({}), [81, 130, true]);
  assert.deepEqual(await page({ limit: 1 }), [130, 130, true]);
  assert.deepEqual(await page({ limit: 100 }), [31, 130, true]);
  assert.deepEqual(await page({}, empty.id), nothing);
});

test('before: the page that ends there; hasMore says whether it is the oldest', async () => {
  assert.deepEqual(await page({ before: 81 }), [31, 80, true]);
  assert.deepEqual(await page({ before: 51 }), [1, 50, false]);
  assert.deepEqual(await page({ before: 52 }), [2, 51, true]);
  assert.deepEqual(await page({ before: 31, limit: 100 }), [1, 30, false]);
  assert.deepEqual(await page({ before: 2 }), [1, 1, false]);
  assert.deepEqual(await page({ before: 1 }), nothing);
  assert.deepEqual(await page({ before: 0 }), nothing);
  assert.deepEqual(await page({ before: 1_000_000, limit: 2 }), [129, 130, true]);
  assert.deepEqual(await page({ before: Number.MAX_SAFE_INTEGER, limit: 2 }), [129, 130, true]);
  assert.deepEqual(await page({ before: 10 }, empty.id), nothing);
});

test('after: the page that begins there; hasMore says whether it is the newest', async () => {
  assert.deepEqual(await page({ after: 0 }), [1, 50, true]);
  assert.deepEqual(await page({ after: 79 }), [80, 129, true]);
  assert.deepEqual(await page({ after: 80 }), [81, 130, false]);
  assert.deepEqual(await page({ after: 129, limit: 1 }), [130, 130, false]);
  assert.deepEqual(await page({ after: 128, limit: 1 }), [129, 129, true]);
  assert.deepEqual(await page({ after: 130 }), nothing);
  assert.deepEqual(await page({ after: Number.MAX_SAFE_INTEGER }), nothing);
  assert.deepEqual(await page({ after: 0 }, empty.id), nothing);
});

test('around: half before, the message itself, half after', async () => {
  for (const [around, limit] of [
    [65, 11],
    [65, 10],
    [65, 2],
    [65, 1],
    [60, 50],
  ] as const) {
    const [first = 0, last = 0, hasMore] = await page({ around, limit });
    assert.equal(last - first + 1, limit);
    assert.ok(first <= around && around <= last);
    assert.ok(Math.abs(around - first - (last - around)) <= 1, `${first} to ${last} around ${around}`);
    assert.equal(hasMore, true);
  }
});

test('around, near the ends: the message is there, and hasMore counts either side', async () => {
  for (const around of [1, 2, 129, 130]) {
    const [first = 0, last = 0, hasMore] = await page({ around, limit: 10 });
    assert.ok(first <= around && around <= last && last - first < 10);
    assert.equal(hasMore, true, `${first} to ${last} is not all`);
  }
  const { room: small } = await ana.ok('room:create', { name: 'Small' });
  for (let seq = 1; seq <= 3; seq += 1) await ana.send(small.id, `m${seq}`);
  assert.deepEqual(await page({ around: 2, limit: 3 }, small.id), [1, 3, false]);
  assert.deepEqual(await page({ around: 2, limit: 100 }, small.id), [1, 3, false]);
});

test('around a seq of no message is NOT_FOUND', async () => {
  await ana.refused('message:history', { roomId: room.id, around: 131 }, 'NOT_FOUND');
  await ana.refused('message:history', { roomId: empty.id, around: 1 }, 'NOT_FOUND');
  const options = { token: anas, params: { id: room.id }, query: { around: 131 } };
  await callRefused(there, 'roomMessagesGet', 'NOT_FOUND', options);
});

test('what is out of range, or two places at once, is VALIDATION_ERROR', async () => {
  const params = { id: room.id };
  for (const query of [
    { limit: 0 },
    { limit: 101 },
    { limit: -1 },
    { limit: 1.5 },
    { before: -1 },
    { after: -1 },
    { around: 0 },
    { around: -5 },
    { before: 2 ** 53 },
    { before: 5, after: 1 },
    { around: 5, after: 1 },
    { before: 9, after: 1, around: 5 },
  ]) {
    await ana.refused('message:history', { roomId: room.id, ...query }, 'VALIDATION_ERROR');
    await callRefused(there, 'roomMessagesGet', 'VALIDATION_ERROR', { token: anas, params, query });
  }
  for (const query of [{ limit: 'ten' }, { limit: '' }, { limit: '1e1' }, { before: 'NaN' }, { after: ' 5' }]) {
    const { details } = await callRefused(there, 'roomMessagesGet', 'VALIDATION_ERROR', { token: anas, params, query });
    assert.equal(Array.isArray(details) && details[0]?.path, Object.keys(query)[0]);
  }
  await ana.refused('message:history', { roomId: room.id, limit: '10' }, 'VALIDATION_ERROR');
});

test('all pages together are the whole room, in both directions', async () => {
  const forward: number[] = [];
  for (let more = true; more;) {
    const answer = await ana.ok('message:history', { roomId: room.id, after: forward.at(-1) ?? 0, limit: 7 });
    forward.push(...answer.messages.map(({ seq }) => seq));
    more = answer.hasMore;
  }
  const backward: number[] = [];
  for (let more = true; more;) {
    const before = backward[0];
    const answer = await ana.ok('message:history', {
      roomId: room.id,
      limit: 7,
      ...(before !== undefined && { before }),
    });
    backward.unshift(...answer.messages.map(({ seq }) => seq));
    more = answer.hasMore;
  }
  const all = Array.from({ length: COUNT }, (_, index) => index + 1);
  assert.deepEqual(forward, all);
  assert.deepEqual(backward, all);
});
