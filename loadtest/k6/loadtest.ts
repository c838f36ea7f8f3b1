/** `npm run loadtest`: runs a scenario with k6 and writes its report. The only file here that touches the process. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ClusterInfo } from '../../deploy/local/cluster-run.ts';
import { describeMachine } from '../measure/machine.ts';
import { requireDescriptors } from '../target/descriptors.ts';
import { startTarget, type Target } from '../target/target.ts';
import { killGateway, restartGateways } from './faults.ts';
import { findK6 } from './find-k6.ts';
import { faultAtMs, makePlan } from './make-plan.ts';
import { readOptions, USAGE, type LoadOptions } from './options.ts';
import { progressOf } from './progress.ts';
import { renderPage, renderSummary } from './report.ts';
import { mergeResults, readThresholds, Series, totalsOf, type Fault, type LoadResult } from './result.ts';
import { runK6 } from './run-k6.ts';
import { scenarios } from './scenarios.ts';
import { warmUp } from './warm-up.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const interrupt = new AbortController();
const say = (line: string): void => console.log(line);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());

const args = process.argv.slice(2);
if (args.includes('--help')) say(USAGE);
else if (args[0] === 'merge') await merge(args.slice(1));
else await main();

async function main(): Promise<void> {
  let options: LoadOptions;
  try {
    options = readOptions(args, process.env);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  try {
    await publish(await load(options), options.out);
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? 130 : 2;
    console.error(interrupt.signal.aborted ? 'interrupted' : `\n${(error as Error).message}`);
  }
}

/** Brings up a cluster if none is given, and runs k6 against it. */
async function load(options: LoadOptions): Promise<LoadResult> {
  const out = resolve(options.out);
  await mkdir(out, { recursive: true });
  const k6 = findK6({ path: options.k6, cacheDir: join(ROOT, '.parley/k6'), mounts: [ROOT, out], say });
  const { clients, replicas, edges, dataDir, shard, urls: given } = options;
  const isOwn = given.length === 0;
  requireDescriptors({
    sockets: Math.ceil(clients / shard.of),
    ...(isOwn && { cluster: { sockets: clients, replicas, edges } }),
  });
  const { signal } = interrupt;
  let target: Target | undefined;
  try {
    if (isOwn) {
      target = await startTarget({ kind: 'parley', replicas, edges, signal, log: say, ...(dataDir && { dataDir }) });
      say(`Warming it up with ${options.warm} clients`);
      await warmUp(target, options.warm, signal);
    }
    const gateways = target?.info.gateways ?? [];
    const summary = join(out, 'k6-summary.json');
    await rm(summary, { force: true });
    const { fault } = scenarios[options.scenario];
    const { urls, jwtSecret } = target ?? options;
    const cluster = { urls, jwtSecret, ownFault: target !== undefined && fault !== undefined };
    const plan = makePlan(options, cluster, { summary, now: Date.now() });
    const series = new Series();
    const progress = progressOf(plan, say);
    const faulting = target === undefined || fault === undefined ? undefined : breakAt(target, fault, plan);
    // Heard below, once k6 is done.
    faulting?.catch((error: unknown) => say(`broken in vain: ${String(error)}`));
    await runK6({
      sharesMachine: isOwn,
      k6,
      plan,
      say,
      signal,
      onWindow(window) {
        series.add(window);
        progress(window);
      },
    });
    const faults = (await faulting) ?? [];
    const fallen = target === undefined || faults.length > 0 ? [] : fallenGateways(gateways, target);
    const thresholds = readThresholds(JSON.parse(await readFile(summary, 'utf8')));
    const { jwtSecret: _secret, ...shown } = options;
    return {
      scenario: options.scenario,
      at: new Date().toISOString(),
      machine: describeMachine(),
      k6: k6.about,
      options: { ...shown, urls },
      ...totalsOf(series.seconds()),
      thresholds,
      faults: [...faults, ...fallen],
      passed: fallen.length === 0 && thresholds.length > 0 && thresholds.every(({ ok }) => ok),
      series: series.seconds(),
    };
  } finally {
    await target?.stop();
  }
}

function breakAt(
  target: Target,
  fault: NonNullable<(typeof scenarios)['history']['fault']>,
  plan: ReturnType<typeof makePlan>,
): Promise<Fault[]> {
  const options = { ...plan, target, faultAtMs: faultAtMs(plan), say, signal: interrupt.signal };
  return fault === 'kill a gateway' ? killGateway(options) : restartGateways(options);
}

/** Those that ended although nobody told them to. */
function fallenGateways(before: ClusterInfo['gateways'], { info }: Target): Fault[] {
  return before
    .filter(({ name, pid }) => info.gateways.find((gateway) => gateway.name === name)?.pid !== pid)
    .map(({ name }) => ({ second: 0, what: `${name} ended by itself` }));
}

async function publish(result: LoadResult, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'result.json'), `${JSON.stringify(result)}\n`);
  await writeFile(join(out, 'report.html'), renderPage(result));
  say(`\n${renderSummary(result)}\n\nWritten to ${join(out, 'result.json')} and report.html`);
  process.exitCode = result.passed ? 0 : 1;
}

async function merge(directories: readonly string[]): Promise<void> {
  const texts = await Promise.all(directories.map((directory) => readFile(join(directory, 'result.json'), 'utf8')));
  const result = mergeResults(texts.map((text) => JSON.parse(text) as LoadResult));
  await publish(result, `.parley/loadtest/${result.scenario}-merged`);
}
