import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageWriter, type MessageWriterOptions, type NewMessage } from './message-writer.ts';

class Transient extends Error {}
class Away extends Error {}
class Full extends Error {}

function message(id: number, roomId = 'room'): NewMessage {
  return { id: String(id), roomId, senderId: 'ann', clientMsgId: String(id), content: 'hello', replyTo: null };
}

function writerOf(append: MessageWriterOptions<string>['append'], more: Partial<MessageWriterOptions<string>> = {}) {
  return new MessageWriter<string>({
    append,
    isTransient: (error) => error instanceof Transient,
    isUnavailable: (error) => error instanceof Away,
    overflow: () => new Full(),
    ...more,
  });
}

const idsOf = (batch: readonly NewMessage[]): string[] => batch.map(({ id }) => id);

describe('MessageWriter', () => {
  test('what gathers during a commit goes with the next one, in the order it came', async () => {
    const batches: string[][] = [];
    const gate = Promise.withResolvers<void>();
    const writer = writerOf(async (batch) => {
      batches.push(idsOf(batch));
      if (batches.length === 1) await gate.promise;
      return idsOf(batch);
    });
    const first = writer.append(message(1));
    await new Promise(setImmediate);
    const later = [2, 3, 4].map((id) => writer.append(message(id)));
    gate.resolve();
    assert.deepEqual(await Promise.all([first, ...later]), ['1', '2', '3', '4']);
    assert.deepEqual(batches, [['1'], ['2', '3', '4']]);
  });

  test('never has two commits under way', async () => {
    let underWay = 0;
    let most = 0;
    const writer = writerOf(async (batch) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return idsOf(batch);
    });
    const sends = Array.from({ length: 1_000 }, (_, id) => writer.append(message(id)));
    await Promise.all(sends);
    assert.equal(most, 1);
  });

  test('a batch holds no more than its bound', async () => {
    const sizes: number[] = [];
    const writer = writerOf(
      async (batch) => {
        sizes.push(batch.length);
        return idsOf(batch);
      },
      { maxBatch: 10 },
    );
    await Promise.all(Array.from({ length: 25 }, (_, id) => writer.append(message(id))));
    assert.deepEqual(sizes, [10, 10, 5]);
  });

  test('beyond the bound of waiting ones a message is refused and the others are kept', async () => {
    const writer = writerOf(async (batch) => idsOf(batch), { maxWaiting: 2 });
    const kept = [writer.append(message(1)), writer.append(message(2))];
    await assert.rejects(writer.append(message(3)), Full);
    assert.deepEqual(await Promise.all(kept), ['1', '2']);
  });

  test('a transient failure is tried again, a limited number of times', async () => {
    let tries = 0;
    const writer = writerOf(async (batch) => {
      tries += 1;
      if (tries < 3) throw new Transient();
      return idsOf(batch);
    });
    assert.equal(await writer.append(message(1)), '1');
    assert.equal(tries, 3);

    const hopeless = writerOf(async () => {
      throw new Transient();
    });
    await assert.rejects(hopeless.append(message(1)), Transient);
  });

  test('one bad message fails alone', async () => {
    const writer = writerOf(async (batch) => {
      if (batch.some(({ id }) => id === '5')) throw new Error('bad input');
      return idsOf(batch);
    });
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, (_, id) => writer.append(message(id))));
    const failed = outcomes.flatMap(({ status }, id) => (status === 'rejected' ? [id] : []));
    assert.deepEqual(failed, [5]);
  });

  test('an absent store fails the whole batch at once, and the next one is tried', async () => {
    let tries = 0;
    const writer = writerOf(async (batch) => {
      tries += 1;
      if (tries === 1) throw new Away();
      return idsOf(batch);
    });
    const outcomes = await Promise.allSettled([writer.append(message(1)), writer.append(message(2))]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(tries, 1);
    assert.equal(await writer.append(message(3)), '3');
  });

  test('flush waits for everything that was given', async () => {
    const done: string[] = [];
    const writer = writerOf(
      async (batch) => {
        await new Promise(setImmediate);
        done.push(...idsOf(batch));
        return idsOf(batch);
      },
      { maxBatch: 1 },
    );
    for (const id of [1, 2, 3]) void writer.append(message(id));
    await writer.flush();
    assert.deepEqual(done, ['1', '2', '3']);
    assert.equal(writer.waiting, 0);
  });
});
