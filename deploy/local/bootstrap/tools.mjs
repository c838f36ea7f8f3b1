// What the steps of the bootstrap share: running a tool while saying so, and one of them at a time.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A problem that the user can solve; its message says how, and no stack is shown. */
export class BootstrapError extends Error {}

/**
 * How to call npm: the one that runs us, if one does, so that `npm start` needs no second npm on the PATH.
 * @param {string} node the Node binary to run it with
 * @returns {string[]} program and first arguments
 */
export function npmCommand(node) {
  const running = process.env.npm_execpath ?? '';
  return basename(running) === 'npm-cli.js' ? [node, running] : ['npm'];
}

/**
 * Runs a tool to its end. Its output is kept back, and its tail shown if it fails.
 * @param {{doing: string, command: string[], cwd: string, env?: Record<string, string>, advice: string}} step
 */
export async function runStep({ doing, command, cwd, env = {}, advice }) {
  const startedAt = Date.now();
  process.stdout.write(`${doing} ...`);
  const { code, output } = await collect(command, cwd, { ...process.env, ...env });
  if (code === 0) {
    process.stdout.write(` done (${Math.round((Date.now() - startedAt) / 1000)} s)\n`);
    return;
  }
  process.stdout.write(' failed\n');
  const tail = output.trimEnd().split('\n').slice(-25).join('\n');
  throw new BootstrapError(`${command.join(' ')}\nsaid:\n\n${tail}\n\n${advice}`);
}

function collect([program, ...args], cwd, env) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: -1, output: `${output}${error.message}` }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/**
 * Runs `work` while no other process of this checkout installs anything: two terminals may start at the same time.
 * @param {string} root the checkout
 * @param {() => Promise<void>} work
 */
export async function exclusively(root, work) {
  const lock = join(root, '.runtime', 'installing');
  mkdirSync(dirname(lock), { recursive: true });
  for (let said = false; !take(lock); said = true) {
    if (!said) console.log('Waiting for another installation in this checkout ...');
    await sleep(200);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!holderIsAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function holderIsAlive(lock) {
  try {
    // An empty file belongs to someone between creating and filling it.
    const pid = Number(readFileSync(lock, 'utf8'));
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
