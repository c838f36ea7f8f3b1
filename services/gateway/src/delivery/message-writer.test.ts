import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageWriter, type MessageWriterOptions, type NewMessage } from './message-writer.ts';

class Transient extends Error {}
class Away extends Error {}
class Full extends Error {}
class Locked extends Error {}
class Overdue extends Error {}

function message(id: number, roomId = 'room'): NewMessage {
  return { id: String(id), roomId, senderId: 'ann', clientMsgId: String(id), content: 'hello', replyTo: null };
}

function writerOf(append: MessageWriterOptions<string>['append'], more: Partial<MessageWriterOptions<string>> = {}) {
  return new MessageWriter<string>({
    append,
    isTransient: (error) => error instanceof Transient,
    isLocked: (error) => error instanceof Locked,
    isUnavailable: (error) => error instanceof Away,
    overflow: () => new Full(),
    overdue: () => new Overdue(),
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

  test('each batch gathers until it is let begin, but a full one begins at once', async () => {
    const batches: string[][] = [];
    const begins: (() => void)[] = [];
    const writer = writerOf(
      async (batch) => {
        batches.push(idsOf(batch));
        return idsOf(batch);
      },
      { maxBatch: 3, defer: (begin) => begins.push(begin) },
    );
    const first = writer.append(message(1));
    const second = writer.append(message(2));
    begins.shift()?.();
    await Promise.all([first, second]);
    const third = writer.append(message(3));
    assert.equal(begins.length, 1);
    const fourth = writer.append(message(4));
    begins.shift()?.();
    await Promise.all([third, fourth]);
    const many = [5, 6, 7, 8, 9, 10].map((id) => writer.append(message(id)));
    begins.shift()?.();
    await Promise.all(many);
    assert.deepEqual(batches, [
      ['1', '2'],
      ['3', '4'],
      ['5', '6', '7'],
      ['8', '9', '10'],
    ]);
    assert.deepEqual(begins, []);
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

/** A store in which somebody can hold rooms: a batch with one of them fails once it has waited for a while. */
class StoreWithLocks {
  readonly held = new Set<string>();
  /** Ids in the order of their commits. */
  readonly committed: string[] = [];
  /** How many commits wait for a lock, and the most there were. */
  waits = 0;
  mostWaits = 0;
  #lapse = Promise.withResolvers<void>();

  /** All waits for locks are over. */
  async lapse(): Promise<void> {
    this.#lapse.resolve();
    this.#lapse = Promise.withResolvers();
    await calm();
  }

  readonly append = async (batch: readonly NewMessage[]): Promise<string[]> => {
    if (batch.some(({ roomId }) => this.held.has(roomId))) {
      this.waits += 1;
      this.mostWaits = Math.max(this.mostWaits, this.waits);
      await this.#lapse.promise;
      this.waits -= 1;
      if (batch.some(({ roomId }) => this.held.has(roomId))) throw new Locked();
    }
    this.committed.push(...idsOf(batch));
    return idsOf(batch);
  };
}

/** Everything that waits for nothing but promises and the event loop has happened. */
async function calm(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

describe('MessageWriter, when somebody holds a room', () => {
  test('the others go on after one wait, and it follows when it is free, in its order', async () => {
    const store = new StoreWithLocks();
    const writer = writerOf(store.append);
    store.held.add('held');
    const early = [
      writer.append(message(1, 'held')),
      writer.append(message(2, 'red')),
      writer.append(message(3, 'held')),
    ];
    await calm();
    const behind = [writer.append(message(4, 'held')), writer.append(message(5, 'blue'))];
    await store.lapse();
    assert.deepEqual(store.committed.toSorted(), ['2', '5']);
    assert.equal(writer.roomsAside, 1);

    // No more waits for who comes now.
    const later = [
      writer.append(message(6, 'red')),
      writer.append(message(7, 'held')),
      writer.append(message(8, 'red')),
    ];
    assert.equal(await later[0], '6');
    assert.equal(await later[2], '8');
    assert.equal(store.waits, 1);
    store.held.clear();
    await store.lapse();
    await Promise.all([...early, ...behind, ...later]);
    assert.deepEqual(store.committed.slice(-4), ['1', '3', '4', '7']);
    assert.equal(writer.roomsAside, 0);
    assert.equal(writer.waiting, 0);
  });

  test('a room that is free again shares batches with the others', async () => {
    const store = new StoreWithLocks();
    const sizes: number[] = [];
    const writer = writerOf(async (batch) => {
      sizes.push(batch.length);
      return store.append(batch);
    });
    store.held.add('held');
    const first = [writer.append(message(1, 'held')), writer.append(message(2, 'red'))];
    await calm();
    store.held.clear();
    await store.lapse();
    await Promise.all(first);
    sizes.length = 0;
    await Promise.all([writer.append(message(3, 'held')), writer.append(message(4, 'red'))]);
    assert.deepEqual(sizes, [2]);
  });

  test('what has waited too long is refused, and the next one holds up nobody either', async () => {
    const store = new StoreWithLocks();
    let now = 0;
    const writer = writerOf(store.append, { now: () => now, patienceMs: 1_000 });
    store.held.add('held');
    const old = writer.append(message(1, 'held'));
    await calm();
    now = 600;
    const young = writer.append(message(2, 'held'));
    await store.lapse();
    await store.lapse();
    assert.equal(store.waits, 1, 'both wait, in one batch');
    now = 1_100;
    void store.lapse();
    await assert.rejects(old, Overdue);
    now = 1_700;
    await calm();
    void store.lapse();
    await assert.rejects(young, Overdue);
    await calm();
    assert.equal(store.waits, 0);

    const next = writer.append(message(3, 'held'));
    assert.equal(await writer.append(message(4, 'red')), '4');
    store.held.clear();
    await store.lapse();
    assert.equal(await next, '3');
  });

  test('of many rooms that are held a few are asked for at a time, and all of them are', async () => {
    const store = new StoreWithLocks();
    const writer = writerOf(store.append, { maxLanes: 2 });
    const rooms = ['a', 'b', 'c', 'd', 'e'];
    for (const room of rooms) store.held.add(room);
    const sends = rooms.map((room, id) => writer.append(message(id, room)));
    await calm();
    await store.lapse();
    assert.equal(store.waits, 2);
    store.held.delete('e');
    await store.lapse();
    await store.lapse();
    assert.equal(await sends[4], '4');
    assert.equal(store.mostWaits, 2);
    store.held.clear();
    while (writer.roomsAside > 0) await store.lapse();
    assert.deepEqual(await Promise.all(sends), ['0', '1', '2', '3', '4']);
  });

  test('it takes no more than its share of the places', async () => {
    const store = new StoreWithLocks();
    const writer = writerOf(store.append, { maxWaitingAside: 2 });
    store.held.add('held');
    const first = writer.append(message(1, 'held'));
    await calm();
    await store.lapse();
    const kept = [writer.append(message(2, 'held')), writer.append(message(3, 'held'))];
    await assert.rejects(writer.append(message(4, 'held')), Full);
    assert.equal(await writer.append(message(5, 'red')), '5');
    store.held.clear();
    await store.lapse();
    assert.deepEqual(await Promise.all([first, ...kept]), ['1', '2', '3']);
  });

  test('an absent store refuses what waits for it, and then all is as before', async () => {
    const store = new StoreWithLocks();
    let isAway = false;
    const writer = writerOf(async (batch) => {
      try {
        return await store.append(batch);
      } catch (error) {
        throw isAway ? new Away() : error;
      }
    });
    store.held.add('held');
    const first = writer.append(message(1, 'held'));
    await calm();
    await store.lapse();
    isAway = true;
    void store.lapse();
    await assert.rejects(first, Away);
    isAway = false;
    store.held.clear();
    assert.equal(await writer.append(message(2, 'held')), '2');
  });

  test('a bad message among those of a held room fails alone, and the order stays', async () => {
    const store = new StoreWithLocks();
    const writer = writerOf(async (batch) => {
      if (batch.some(({ id }) => id === '3')) throw new Error('bad input');
      return store.append(batch);
    });
    store.held.add('held');
    const rooms = ['held', 'red', 'red', 'held', 'red', 'held', 'held'];
    const sends = Promise.allSettled(rooms.map((room, id) => writer.append(message(id, room))));
    await calm();
    await store.lapse();
    store.held.clear();
    while (writer.roomsAside > 0) await store.lapse();
    assert.deepEqual(
      (await sends).flatMap(({ status }, id) => (status === 'rejected' ? [id] : [])),
      [3],
    );
    assert.deepEqual(
      store.committed.filter((id) => rooms[Number(id)] === 'held'),
      ['0', '5', '6'],
    );
    assert.deepEqual(
      store.committed.filter((id) => rooms[Number(id)] === 'red'),
      ['1', '2', '4'],
    );
  });

  test('flush waits for it', async () => {
    const store = new StoreWithLocks();
    const writer = writerOf(store.append);
    store.held.add('held');
    void writer.append(message(1, 'held'));
    await calm();
    await store.lapse();
    let isFlushed = false;
    const flushed = writer.flush().then(() => (isFlushed = true));
    await store.lapse();
    assert.equal(isFlushed, false);
    store.held.clear();
    void store.lapse();
    await flushed;
    assert.deepEqual(store.committed, ['1']);
  });
});
