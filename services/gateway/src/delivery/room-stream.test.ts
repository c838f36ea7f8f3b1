import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OwnEntries } from './own-entries.ts';
import { RoomStream, type Entry } from './room-stream.ts';

const message = (seq: number, id = `m${seq}`): Entry => ({ log: 'message', number: seq, seq, id, payload: id });
const change = (rev: number, seq: number): Entry => ({ log: 'change', number: rev, seq, id: `c${rev}`, payload: rev });

/** A stream from seq 10 and rev 0 on, and what each hearer was told. */
function streamOf() {
  const told: Record<string, string[]> = {};
  const own = new OwnEntries<string>();
  const stream = new RoomStream<string>(
    'room',
    { seq: 10, rev: 0, membersRev: 0 },
    {
      own,
      tell: (hearers, _roomId, entries) => {
        for (const hearer of hearers) {
          (told[hearer] ??= []).push(...entries.filter(({ except }) => except !== hearer).map(({ id }) => id));
        }
      },
    },
  );
  const join = (hearer: string, seq: number, rev = 0): boolean => stream.release(stream.hold(hearer), { seq, rev });
  return { stream, told, own, join };
}

describe('RoomStream', () => {
  test('a hearer is told what comes after its page, with what came while the page was read', () => {
    const { stream, told } = streamOf();
    const hold = stream.hold('ann');
    stream.receive([message(11), message(12)]);
    assert.deepEqual(told, {});
    stream.release(hold, { seq: 11, rev: 0 });
    stream.receive([message(13)]);
    assert.deepEqual(told['ann'], ['m12', 'm13']);
  });

  test('a page that is ahead of the stream is not told again', () => {
    const { stream, told, join } = streamOf();
    join('bob', 10);
    join('ann', 12);
    stream.receive([message(11), message(12), message(13)]);
    assert.deepEqual(told, { bob: ['m11', 'm12', 'm13'], ann: ['m13'] });
  });

  test('an early entry waits, and says so', () => {
    const { stream, told, join } = streamOf();
    join('ann', 10);
    assert.equal(stream.receive([message(12)]), true);
    assert.deepEqual(stream.holes(), [{ roomId: 'room', log: 'message', after: 10, upTo: 11 }]);
    assert.equal(stream.receive([message(11)]), false);
    assert.deepEqual(told['ann'], ['m11', 'm12']);
  });

  test('a change waits for its message', () => {
    const { stream, told, join } = streamOf();
    join('ann', 10);
    assert.equal(stream.receive([change(1, 11), change(2, 3)]), true);
    assert.deepEqual(told, {});
    stream.receive([message(11)]);
    assert.deepEqual(told['ann'], ['m11', 'c1', 'c2']);
  });

  test('who writes an entry is not told it, held or live', () => {
    const { stream, told, own, join } = streamOf();
    join('ann', 10);
    const hold = stream.hold('bob');
    own.add('m11', 'ann');
    own.add('m12', 'bob');
    stream.receive([message(11), message(12), message(13)]);
    stream.release(hold, { seq: 10, rev: 0 });
    assert.deepEqual(told, { ann: ['m12', 'm13'], bob: ['m11', 'm13'] });
    assert.equal(own.size, 0);
  });

  test('who leaves is told nothing more, also when it leaves between page and stream', () => {
    const { stream, told, join } = streamOf();
    join('ann', 10);
    const hold = stream.hold('bob');
    stream.remove('ann');
    stream.remove('bob');
    stream.receive([message(11)]);
    assert.equal(stream.release(hold, { seq: 10, rev: 0 }), true);
    stream.receive([message(12)]);
    assert.deepEqual(told, {});
    assert(stream.isDeserted);
  });

  test('a page that failed leaves a hearer where it was, and lets nobody in', () => {
    const { stream, told, join } = streamOf();
    join('ann', 12);
    const again = stream.hold('ann');
    const fresh = stream.hold('bob');
    stream.receive([message(11), message(12), message(13)]);
    stream.giveBack(again);
    stream.giveBack(fresh);
    stream.receive([message(14)]);
    assert.deepEqual(told, { ann: ['m13', 'm14'] });
  });

  test('a hold keeps only so much', () => {
    const { stream } = streamOf();
    const hold = stream.hold('ann');
    for (let seq = 11; seq <= 3_000; seq += 1) stream.receive([message(seq)]);
    assert.equal(hold.kept.length, 0);
    assert.equal(stream.release(hold, { seq: 10, rev: 0 }), false);
  });
});
