/** `npm run bench`: measures the clusters in turn and prints the tables. The only file here that touches the process. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeMachine } from '../measure/machine.ts';
import { startTarget, type Kind } from '../target/target.ts';
import { startGenerators } from './generators.ts';
import { isBroken } from './herd.ts';
import { measureTarget, type Measured } from './measure-target.ts';
import { readOptions, USAGE, type BenchOptions } from './options.ts';
import { renderReport } from './report.ts';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());

if (process.argv.includes('--help')) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  let options: BenchOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  try {
    await bench(options);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    console.error('interrupted');
    process.exitCode = 130;
  }
}

async function bench(options: BenchOptions): Promise<void> {
  const machine = describeMachine();
  const targets: Measured[] = [];
  for (const { kind, name, env } of runsOf(options)) {
    console.log(`\n${name}`);
    targets.push(await measure(options, { kind, name, env }));
  }
  const result = { at: new Date().toISOString(), machine, options, targets };
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(options.out, `${JSON.stringify(result, null, 1)}\n`);
  console.log(`\n${renderReport(result)}\n\nWritten to ${options.out}`);

  const broken = targets.filter(
    ({ name, rates, herd }) =>
      name === 'parley' &&
      (rates?.steps.some(({ verdict }) => verdict.isBroken) === true || (herd !== undefined && isBroken(herd))),
  );
  if (broken.length > 0 || targets.some(({ rates }) => rates?.quiet.totals.deliveries === 0)) {
    console.error('\nOrder or completeness was broken.');
    process.exitCode = 1;
  }
}

interface Run {
  kind: Kind;
  name: string;
  env: Record<string, string>;
}

function runsOf({ only, gather }: BenchOptions): Run[] {
  return only.flatMap((kind): Run[] =>
    kind === 'bare'
      ? gather.map((ms) => ({ kind, name: `bare, gathered ${ms} ms`, env: { GATHER_MS: String(ms) } }))
      : [{ kind, name: kind, env: {} }],
  );
}

async function measure(options: BenchOptions, { kind, name, env }: Run): Promise<Measured> {
  const { replicas, edges } = options;
  const { signal } = interrupt;
  signal.throwIfAborted();
  const target = await startTarget({ kind, replicas, edges, env, signal, log: () => {} });
  const generators = startGenerators(options.generators);
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  aborted.catch(() => {});
  try {
    return await Promise.race([
      measureTarget({ target, generators, options, name, say: (line) => console.log(line) }),
      aborted,
    ]);
  } finally {
    generators.stop();
    await target.stop();
  }
}
