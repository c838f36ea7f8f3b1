import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { playChapter, type Chapter } from '../chaos/chapter.ts';
import { startChaosCluster } from '../chaos/cluster.ts';
import { Crowd } from '../chaos/crowd.ts';
import { randomOf } from '../chaos/random.ts';
import { TruthReader } from '../chaos/read-truth.ts';
import type { Fault, Stage } from '../chaos/stage.ts';

const LOAD = { clients: 45, rooms: 4, rate: 40 };
const TIMES = { beforeMs: 1_000, afterMs: 500 };
/** Faults that last for seconds last for this part of them. */
const PACE = 0.4;

export interface ShortFault {
  fault: Fault;
  /** What the contract says of this fault besides; the chapter has no anomalies and everybody has everything. */
  expect?: (chapter: Chapter) => void;
}

/** Plays faults one after the other on one real cluster, with a small load. The seed is printed when one fails. */
export function playShort(title: string, faults: readonly ShortFault[]): void {
  describe(title, () => {
    const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
    const closers: (() => unknown)[] = [];
    let stage: Stage;

    before(async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'parley-chaos-'));
      closers.unshift(() => rm(dataDir, { recursive: true }));
      const cluster = await startChaosCluster({ dataDir, replicas: 3, env: { DRAIN_MS: '1500' } });
      closers.unshift(() => cluster.stop());
      const truth = new TruthReader(cluster.info.postgres.url);
      closers.unshift(() => truth.close());
      const random = randomOf(seed);
      const badLineUrl = `http://127.0.0.1:${cluster.clientProxy.port}`;
      const { url, jwtSecret } = cluster;
      const crowd = await Crowd.gather({ urls: [url], badLineUrl, jwtSecret, random, ...LOAD });
      closers.unshift(() => crowd.leave());
      stage = { cluster, crowd, truth, random, pace: PACE, say: () => {} };
    });

    after(async () => {
      for (const close of closers) await close();
    });

    for (const { fault, expect } of faults) {
      test(fault.name, async () => {
        const chapter = await playChapter(stage, fault, TIMES);
        const { verdict, caughtUpMs, oddities } = chapter;
        const context = `CHAOS_SEED=${seed}`;
        assert.deepEqual(verdict.anomalies.slice(0, 10), [], context);
        assert.notEqual(caughtUpMs, undefined, `somebody never had everything, ${context}`);
        assert.deepEqual(oddities, {}, context);
        assert.ok(verdict.acked > 0 && verdict.delivered > 0, 'there was load');
        expect?.(chapter);
      });
    }
  });
}

/** Guarantee 9: everything was heard within 10 s of Redis's return. */
export function heardWithinTenSeconds({ caughtUpMs }: Chapter): void {
  assert.ok(caughtUpMs !== undefined && caughtUpMs <= 10_000, `it took ${caughtUpMs} ms`);
}
