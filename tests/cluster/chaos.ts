/**
 * npm run chaos: a real cluster under load, with faults, and a checker that compares what every client saw with what is
 * stored. Exit code 1 when anything was promised and did not hold. `--help` lists the options.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { playChapter, type Chapter } from './chaos/chapter.ts';
import { startChaosCluster } from './chaos/cluster.ts';
import { Crowd } from './chaos/crowd.ts';
import { readOptions, schedule, type ChaosOptions } from './chaos/options.ts';
import { randomOf } from './chaos/random.ts';
import { TruthReader } from './chaos/read-truth.ts';
import { summaryTable, writeReport } from './chaos/report.ts';

const TIMES = { beforeMs: 3_000, afterMs: 2_000 };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(options: ChaosOptions, stop: AbortSignal): Promise<Chapter[]> {
  const { directory, seed, replicas, clients, rooms, rate } = options;
  await mkdir(directory, { recursive: true });
  const random = randomOf(seed);
  const closers: (() => unknown)[] = [];
  const chapters: Chapter[] = [];
  try {
    say(`Seed ${seed}: ${clients} clients, ${rooms} rooms, ${rate} sends a second, ${replicas} gateways`);
    const cluster = await startChaosCluster({ dataDir: join(directory, 'cluster'), replicas, log: say });
    closers.unshift(() => cluster.stop());
    const truth = new TruthReader(cluster.info.postgres.url);
    closers.unshift(() => truth.close());
    const badLineUrl = `http://127.0.0.1:${cluster.clientProxy.port}`;
    const urls = [cluster.url];
    const crowd = await Crowd.gather({ urls, badLineUrl, jwtSecret: cluster.jwtSecret, clients, rooms, rate, random });
    closers.unshift(() => crowd.leave());
    say(`All ${clients} clients hear their rooms`);
    for (const fault of schedule(options, random)) {
      if (stop.aborted) break;
      chapters.push(await playChapter({ cluster, crowd, truth, random, pace: 1, say }, fault, TIMES));
      say(summaryTable(chapters.slice(-1)).split('\n').at(-1) ?? '');
    }
    say(`\n${summaryTable(chapters)}\n`);
    for (const path of await writeReport(options, chapters, crowd.board)) say(path);
    return chapters;
  } finally {
    for (const close of closers) await close();
  }
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
try {
  const options = readOptions(process.argv.slice(2));
  if (options) {
    const chapters = await run(options, stop.signal);
    const broken = chapters.filter(
      ({ verdict, caughtUpMs }) => verdict.anomalies.length > 0 || caughtUpMs === undefined,
    );
    for (const { fault, verdict } of broken) {
      for (const { name, log, client, detail } of verdict.anomalies.slice(0, 5)) {
        say(`${fault}: ${name} (${log}) ${client ?? ''} ${detail}`);
      }
    }
    process.exitCode = broken.length > 0 ? 1 : 0;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
