/**
 * What `npm test` runs: format, lint, types, then all tests on private stores. Arguments:
 *
 *   --checks     only format, lint and types
 *   FILE...      only these test files (paths or globs), without the checks
 *
 * The exit code is 0 when all steps passed. The last line counts the tests.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdir } from 'node:fs/promises';
import { delimiter, dirname, join, relative, resolve, sep } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { findOrInstallServers } from '../deploy/local/servers.ts';
import { startStores, type Stores } from './stores.ts';

const ROOT = join(import.meta.dirname, '..');
const TESTS = ['packages', 'services', 'deploy', 'loadtest', 'tests'].map((folder) => `${folder}/**/*.test.ts`);
/** Whole clusters: one at a time, when the others are done. */
const HEAVY = ['tests/cluster', 'tests/compose', 'tests/clients', 'loadtest/smoke'].map((folder) => join(folder) + sep);

const CONCURRENCY = 2;
/** For one file; far more than any takes, so that one that hangs ends the run and names itself. */
const FILE_TIMEOUT_MS = 5 * 60_000;
const HEAVY_FILE_TIMEOUT_MS = 20 * 60_000;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const interrupt = new AbortController();
const failedSteps: string[] = [];

process.chdir(ROOT);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    failedSteps.push(signal);
    interrupt.abort();
  });
}
await main();
process.exitCode = failedSteps.length === 0 ? 0 : 1;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { checks: { type: 'boolean' } } });
  if (positionals.length === 0) {
    await step('format', () => tool('prettier', '--check', '.'));
    await step('lint', () => tool('oxlint', '--type-aware', '--deny-warnings'));
    await step('types', () => tool('tsc', '--noEmit', '-p', 'tsconfig.json'));
  }
  let last = '';
  if (values.checks !== true) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    await test(positionals.length === 0 ? TESTS : positionals, counts);
    last = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
  }
  if (failedSteps.length > 0) print(`\nfailed: ${failedSteps.join(', ')}`);
  print(`\n${last}`.trimEnd());
}

async function test(patterns: string[], counts: Counts): Promise<void> {
  const light: string[] = [];
  const heavy: string[] = [];
  for await (const file of glob(patterns, { exclude: ['**/node_modules/**'] })) {
    (HEAVY.some((folder) => relative(ROOT, resolve(file)).startsWith(folder)) ? heavy : light).push(file);
  }
  if (light.length + heavy.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`);

  let stores: Stores | undefined;
  await step('stores', async () => {
    // The same way in as `npm start`: a bare machine gets what is missing.
    const dataDir = join(ROOT, '.parley');
    await mkdir(dataDir, { recursive: true });
    await findOrInstallServers(dataDir, undefined, print);
    stores = await startStores();
    return true;
  });
  if (stores === undefined) return;
  try {
    if (light.length > 0) await step('tests', () => runFiles(light.toSorted(), CONCURRENCY, FILE_TIMEOUT_MS, counts));
    if (heavy.length > 0)
      await step('tests of whole clusters', () => runFiles(heavy.toSorted(), 1, HEAVY_FILE_TIMEOUT_MS, counts));
  } finally {
    await stores.stop();
  }
}

async function runFiles(files: string[], concurrency: number, timeout: number, counts: Counts): Promise<boolean> {
  let success = false;
  const events = run({ files, concurrency, timeout, signal: interrupt.signal, cwd: ROOT });
  events.on('test:summary', (summary) => {
    if (summary.file !== undefined) return; // one file's own
    success = summary.success;
    counts.passed += summary.counts.passed;
    counts.failed += summary.counts.tests - summary.counts.passed - summary.counts.skipped - summary.counts.todo;
    counts.skipped += summary.counts.skipped + summary.counts.todo;
  });
  for await (const text of events.compose(new spec())) process.stdout.write(text as string);
  return success;
}

async function step(name: string, work: () => Promise<boolean>): Promise<void> {
  if (interrupt.signal.aborted) return;
  const start = performance.now();
  print(`\n== ${name}`);
  let passed = false;
  try {
    passed = await work();
  } catch (error) {
    print(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  print(`-- ${name} ${passed ? 'passed' : 'failed'} after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  if (!passed) failedSteps.push(name);
}

/** A program of node_modules. Its launcher takes `node` from the PATH, so this Node is put in front. */
async function tool(name: string, ...args: string[]): Promise<boolean> {
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn(join('node_modules', '.bin', name), args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
    signal: interrupt.signal,
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
