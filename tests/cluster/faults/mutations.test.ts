import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { playChapter } from '../chaos/chapter.ts';
import { startChaosCluster } from '../chaos/cluster.ts';
import { Crowd } from '../chaos/crowd.ts';
import { randomOf } from '../chaos/random.ts';
import { TruthReader } from '../chaos/read-truth.ts';
import type { Fault } from '../chaos/stage.ts';
import type { AnomalyName } from '../checker/anomalies.ts';
import { inReverse } from '../launcher-process.ts';
import { flappingClients } from './clients.ts';
import { redisLosses } from './redis.ts';

/**
 * Shows that the checker notices when a promise is broken: a real cluster whose gateways run a copy of the code with one
 * place broken, under load. A mutation whose place is gone fails as well, so that it moves with the code.
 */
interface Mutation {
  name: string;
  /** Below services/gateway/src. */
  file?: string;
  find?: string;
  put?: string;
  /** Of the database: a statement that gets the definition of `append_messages`. */
  database?: (definition: string) => string;
  under: Fault;
  /** One of these has to be found. */
  expected: readonly AnomalyName[];
}

const calm: Fault = { name: 'calm', about: 'nothing', strike: () => delay(3_000) };

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'messages are told in the order of their arrival',
    file: 'delivery/sequence.ts',
    find: 'if (this.#early.size < MAX_EARLY) this.#early.set(number, item);\n      return [];',
    put: 'return [item];',
    under: calm,
    expected: ['nonmonotonic-poll'],
  },
  {
    name: 'holes are not filled',
    file: 'delivery/repair.ts',
    find: 'if (holes.length > 0) {',
    put: 'if (holes.length < 0) {',
    under: redisLosses,
    expected: ['unseen'],
  },
  {
    name: 'the hand-over forgets what comes while the page is read',
    file: 'delivery/room-stream.ts',
    find: 'else hold.kept.push(...entries);',
    put: 'else hold.kept.length = 0;',
    under: flappingClients,
    expected: ['poll-skip', 'unseen'],
  },
  {
    name: 'duplicates are not looked for',
    database: (definition) =>
      replacedOnce(
        replacedOnce(definition, "when (d.stored).seq is not null then 'duplicate'", "when false then 'duplicate'"),
        "p.verdict = 'appended' and row_number() over same_key = 1 as is_new",
        "p.verdict = 'appended' as is_new",
      ) + '; alter table messages drop constraint messages_once',
    under: calm,
    expected: ['duplicate'],
  },
];

const GATEWAY = resolve(import.meta.dirname, '../../../services/gateway');
const LOAD = { clients: 40, rooms: 2, rate: 100 };

function replacedOnce(text: string, find: string, put: string): string {
  assert.equal(text.split(find).length, 2, `there is no longer one place like: ${find}`);
  return text.replace(find, () => put);
}

/** @returns the main file of the copy */
async function copyOfGateway(t: Pick<TestContext, 'after'>, { file, find = '', put = '' }: Mutation): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-mutation-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(join(GATEWAY, 'src'), join(folder, 'src'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(join(GATEWAY, 'node_modules'), join(folder, 'node_modules'));
  if (file !== undefined) {
    const path = join(folder, 'src', file);
    await writeFile(path, replacedOnce(await readFile(path, 'utf8'), find, put));
  }
  return join(folder, 'src/main.ts');
}

describe('the checker complains when', () => {
  for (const mutation of MUTATIONS) {
    test(mutation.name, async (t) => {
      const owner = inReverse(t);
      const main = await copyOfGateway(owner, mutation);
      const dataDir = await mkdtemp(join(tmpdir(), 'parley-chaos-'));
      owner.after(() => rm(dataDir, { recursive: true }));
      const cluster = await startChaosCluster({
        dataDir,
        replicas: 3,
        alter: ({ gateways }) => {
          for (const { service } of gateways) service.command.args = [main];
        },
      });
      owner.after(() => cluster.stop());
      const truth = new TruthReader(cluster.info.postgres.url);
      owner.after(() => truth.close());
      if (mutation.database) {
        const [row] = await truth.run<{ definition: string }>(
          "select pg_get_functiondef(max(oid)) as definition from pg_proc where proname = 'append_messages'",
        );
        await truth.run(mutation.database(row?.definition ?? ''));
      }
      const random = randomOf(1);
      const badLineUrl = `http://127.0.0.1:${cluster.clientProxy.port}`;
      const { url, jwtSecret } = cluster;
      const crowd = await Crowd.gather({ urls: [url], badLineUrl, jwtSecret, random, ...LOAD });
      owner.after(async () => crowd.leave());
      const stage = {
        cluster,
        crowd,
        truth,
        random,
        pace: 0.4,
        say: () => {},
      };
      const times = { beforeMs: 500, afterMs: 500, patienceMs: 3_000 };
      const { verdict } = await playChapter(stage, mutation.under, times);
      const { counts } = verdict;
      assert.ok(
        mutation.expected.some((name) => counts[name] > 0),
        `found ${JSON.stringify(counts)}`,
      );
    });
  }
});
