// node deploy/local/run.mjs <script.ts> [arguments...]
//
// Runs a TypeScript program of this repository on any machine that has Node 18 or newer: it brings in the Node version
// that the project needs and the packages of the workspace, both only when they are missing or outdated, and then
// gives way to the program. Plain JavaScript without packages, since it runs before there are any.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { giveWayTo } from './bootstrap/give-way.mjs';
import { endWhenOrphaned } from './bootstrap/orphan.mjs';
import { ensurePackages } from './bootstrap/packages.mjs';
import { ensureRuntime } from './bootstrap/runtime.mjs';
import { BootstrapError } from './bootstrap/tools.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

async function main() {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) throw new BootstrapError('Usage: node deploy/local/run.mjs <script.ts> [arguments...]');
  const path = resolve(script);
  if (!existsSync(path)) throw new BootstrapError(`There is no ${path}`);

  endWhenOrphaned();
  const runtime = await ensureRuntime(root);
  process.env.PATH = `${dirname(runtime)}:${process.env.PATH ?? ''}`;
  await ensurePackages(root, runtime);

  if (runtime === process.execPath) {
    process.argv.splice(1, process.argv.length, path, ...args);
    await import(pathToFileURL(path).href);
  } else {
    giveWayTo(runtime, [path, ...args]);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
