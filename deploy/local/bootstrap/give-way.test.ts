import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProcess } from '@parley/test-support';
import type { Owner, RunningProcess } from '@parley/test-support';

const MODULE = join(import.meta.dirname, 'give-way.mjs');

/** A process that gave way to `program`. */
function startShell(owner: Owner, program: string): Promise<RunningProcess> {
  const shell = `import { giveWayTo } from ${JSON.stringify(MODULE)};
    giveWayTo(process.execPath, ['-e', ${JSON.stringify(program)}]);`;
  return startProcess(process.execPath, ['--input-type=module', '-e', shell], { owner, readyWhen: /runs as \d+/ });
}

const RUN = `setInterval(() => {}, 1000); console.log('runs as ' + process.pid);`;

test('each signal arrives once, and the exit code is passed on', async (t) => {
  const shell = await startShell(
    t,
    `process.on('SIGINT', () => console.log('INT')); process.on('SIGTERM', () => process.exit(7)); ${RUN}`,
  );
  shell.kill('SIGINT');
  await eventually(() => assert.match(shell.output, /INT/));
  shell.kill('SIGTERM');
  assert.deepEqual(await shell.exited, { code: 7, signal: null });
  assert.equal(shell.output.match(/INT/g)?.length, 1);
});

test('a program that dies by a signal takes the shell with it in the same way', async (t) => {
  const shell = await startShell(t, RUN);
  process.kill(Number(/runs as (\d+)/.exec(shell.output)?.[1]), 'SIGKILL');
  assert.deepEqual(await shell.exited, { code: null, signal: 'SIGKILL' });
});

test('the program hears when the shell is killed', async (t) => {
  const shell = await startShell(
    t,
    `process.on('disconnect', () => { console.log('alone'); process.exit(0); }); ${RUN}`,
  );
  await shell.stop('SIGKILL');
  await eventually(() => assert.match(shell.output, /alone/));
});
