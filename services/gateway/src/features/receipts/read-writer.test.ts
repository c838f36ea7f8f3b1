import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred, eventually } from '@parley/test-support';
import { ReadWriter, type MarkedRow } from './read-writer.ts';
import type { Reading } from './reading.ts';

const HEAD = 100;
const reading = (userId: string, seq: number): Reading => ({ roomId: 'r', userId, seq });

/** Marks in memory as PostgreSQL would, and the batches that it was given. */
function store(isHeld: (userId: string) => boolean = () => false) {
  const marks = new Map<string, number>();
  const batches: Reading[][] = [];
  const write = async (batch: readonly Reading[]): Promise<MarkedRow[]> => {
    batches.push([...batch]);
    const members = Map.groupBy(batch, ({ userId }) => userId);
    members.delete('nobody');
    return [...members].map(([userId, ofUser]) => {
      const before = marks.get(userId) ?? 0;
      const wanted = Math.min(HEAD, Math.max(...ofUser.map(({ seq }) => seq)));
      const held = wanted > before && isHeld(userId);
      if (!held) marks.set(userId, Math.max(before, wanted));
      const lastReadSeq = Math.max(before, wanted);
      return { roomId: 'r', userId, lastReadSeq, headSeq: HEAD, hasMoved: wanted > before && !held, isHeld: held };
    });
  };
  return { marks, batches, write };
}

const overflow = () => new Error('overflow');

describe('ReadWriter', () => {
  test('what comes while a batch is committed shares the next one', async () => {
    const { batches, write } = store();
    const { promise, resolve } = deferred();
    const writer = new ReadWriter({ write: (batch) => promise.then(() => write(batch)), overflow });
    const first = writer.mark(reading('u0', 1));
    await new Promise((run) => setImmediate(run));
    const rest = Array.from({ length: 50 }, (_, index) => writer.mark(reading(`u${index + 1}`, 1)));
    resolve();
    await Promise.all([first, ...rest]);
    assert.deepEqual(
      batches.map(({ length }) => length),
      [1, 50],
    );
  });

  test('of several readings of one member the farthest counts, and it alone has moved', async () => {
    const { marks, write } = store();
    const writer = new ReadWriter({ write, overflow });
    const answers = await Promise.all([3, 7, 5].map((seq) => writer.mark(reading('ana', seq))));
    assert.deepEqual(
      answers.map((marked) => [marked?.lastReadSeq, marked?.hasMoved]),
      [
        [7, false],
        [7, true],
        [7, false],
      ],
    );
    assert.equal(marks.get('ana'), 7);
  });

  test('who is no member is told so, and disturbs nobody', async () => {
    const { write } = store();
    const writer = new ReadWriter({ write, overflow });
    const [nobody, ana] = await Promise.all([writer.mark(reading('nobody', 1)), writer.mark(reading('ana', 1))]);
    assert.deepEqual([nobody, ana?.lastReadSeq], [undefined, 1]);
  });

  test('a row that is held is tried again, and the others do not wait for it', async () => {
    let isHeld = true;
    const { marks, write } = store((userId) => isHeld && userId === 'ana');
    const writer = new ReadWriter({ write, overflow, retryMs: 1 });
    const ana = writer.mark(reading('ana', 5));
    assert.equal((await writer.mark(reading('ben', 5)))?.hasMoved, true);
    assert.equal(marks.has('ana'), false);
    isHeld = false;
    assert.equal((await ana)?.hasMoved, true);
  });

  test('a row that is held for too long is given up, and so is what is held at a stop', async () => {
    const { batches, write } = store(() => true);
    const writer = new ReadWriter({ write, overflow, retryMs: 1, maxTries: 3 });
    await assert.rejects(writer.mark(reading('ana', 5)), /overflow/);
    assert.equal(batches.length, 3);
    const patient = new ReadWriter({ write, overflow, retryMs: 60_000 });
    const given = assert.rejects(patient.mark(reading('ana', 5)), /overflow/);
    await eventually(() => assert.equal(batches.length, 4));
    await patient.stop();
    await given;
  });

  test('a batch that fails fails for all of it, and the next one goes on', async () => {
    const { write } = store();
    let fails = true;
    const writer = new ReadWriter({
      write: (batch) => (fails ? Promise.reject(new Error('away')) : write(batch)),
      overflow,
    });
    const both = [writer.mark(reading('ana', 1)), writer.mark(reading('ben', 1))];
    for (const one of both) await assert.rejects(one, /away/);
    fails = false;
    assert.equal((await writer.mark(reading('ana', 1)))?.hasMoved, true);
  });

  test('only so many wait', async () => {
    const { promise, resolve } = deferred();
    const { write } = store();
    const writer = new ReadWriter({ write: (batch) => promise.then(() => write(batch)), overflow, maxWaiting: 2 });
    const waiting = [writer.mark(reading('u0', 1)), writer.mark(reading('u1', 1))];
    await assert.rejects(writer.mark(reading('u2', 1)), /overflow/);
    resolve();
    await Promise.all(waiting);
    assert.equal((await writer.mark(reading('u2', 1)))?.hasMoved, true);
  });
});
