import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type * as HistoryModule from './history.ts';

/**
 * Shows that the simulation notices when a promise is broken: the delivery code is copied, one place of it is broken,
 * and the simulation has to complain. A mutation whose place is gone fails as well, so that it moves with the code.
 */
interface Mutation {
  name: string;
  file: string;
  find: string;
  put: string;
}

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'what arrives early is told at once, in the order of arrival',
    file: 'sequence.ts',
    find: 'if (this.#early.size < MAX_EARLY) this.#early.set(number, item);\n      return [];',
    put: 'return [item];',
  },
  {
    name: 'what was told is told again when it arrives again',
    file: 'sequence.ts',
    find: 'if (number < this.#next) return [];',
    put: 'if (number < this.#next) return [item];',
  },
  { name: 'holes are not filled', file: 'repair.ts', find: 'if (holes.length > 0) {', put: 'if (holes.length < 0) {' },
  {
    name: 'heads are not compared',
    file: 'repair.ts',
    find: 'if (stream?.knows(head)) this.hasHole(stream);',
    put: 'void stream;',
  },
  {
    name: 'nobody looks who is still a member',
    file: 'repair.ts',
    find: 'await this.#evictOutsiders(heads);',
    put: '',
  },
  {
    name: 'who is evicted while its page is read gets the page',
    file: 'turns.ts',
    find: 'turn.isEvicted = true;',
    put: 'turn.isEvicted = false;',
  },
  {
    name: 'the hand-over forgets what comes while the page is read',
    file: 'room-stream.ts',
    find: 'else hold.kept.push(...entries);',
    put: 'else hold.kept.length = 0;',
  },
  {
    name: 'the hand-over tells what the page has',
    file: 'room-stream.ts',
    find: 'const untold = kept.filter((entry) => entry.number > numberIn(page, entry.log));',
    put: 'const untold = kept;',
  },
  {
    name: 'a hearer whose page is ahead of the stream is told its messages again',
    file: 'room-stream.ts',
    find: 'if (this.#isBehind(page)) this.#marks.set(hearer, page);',
    put: '',
  },
  {
    name: 'the sender is told its own message',
    file: 'room-stream.ts',
    find: 'const except = this.#own.take(entry.id);',
    put: 'const except = undefined as Hearer | undefined;',
  },
  {
    name: 'who comes to a room that is set aside overtakes it',
    file: 'message-writer.ts',
    find: 'if (isAside) this.#lanes.add([one]);\n    else this.#enqueue([one]);',
    put: 'this.#enqueue([one]);',
  },
];

/**
 * Enough for each of them by far. The first few histories usually show it; what needs a room that is held at the right
 * moment takes some hundreds.
 */
const RUNS = 10_000;
const DELIVERY = resolve(import.meta.dirname, '..');

/** The simulation on a copy of the delivery code. */
async function copyOfSimulation(t: TestContext, mutation?: Mutation): Promise<typeof HistoryModule> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-mutation-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(DELIVERY, join(folder, 'delivery'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(resolve(DELIVERY, '../../node_modules'), join(folder, 'node_modules'));
  if (mutation) {
    const path = join(folder, 'delivery', mutation.file);
    const source = await readFile(path, 'utf8');
    assert.equal(
      source.split(mutation.find).length,
      2,
      `${mutation.file} has no longer one place like: ${mutation.find}`,
    );
    await writeFile(
      path,
      source.replace(mutation.find, () => mutation.put),
    );
  }
  return (await import(pathToFileURL(join(folder, 'delivery/simulation/history.ts')).href)) as typeof HistoryModule;
}

/** What the simulation says first. Code that does not run at all says nothing. */
async function complaintsOf({ history, play }: typeof HistoryModule, numRuns: number): Promise<string[]> {
  let complaints: string[] = [];
  const property = fc.asyncProperty(history, async (played) => {
    complaints = await play(played);
    return complaints.length === 0;
  });
  await fc.check(property, { numRuns, endOnFailure: true });
  return complaints;
}

describe('the simulation complains when', () => {
  test('(it does not when nothing is broken)', async (t) => {
    assert.deepEqual(await complaintsOf(await copyOfSimulation(t), 50), []);
  });

  for (const mutation of MUTATIONS) {
    test(mutation.name, async (t) => {
      assert.notDeepEqual(await complaintsOf(await copyOfSimulation(t, mutation), RUNS), []);
    });
  }
});
