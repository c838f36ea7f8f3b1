import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProcess } from '@parley/test-support';
import type { Owner } from '@parley/test-support';

const MODULE = join(import.meta.dirname, 'tools.mjs');

async function makeRoot(owner: Owner): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'parley-bootstrap-'));
  owner.after(() => rm(root, { recursive: true }));
  return root;
}

/** A process that says `in` once it installs alone, and goes on until it is killed. */
async function startInstaller(owner: Owner, root: string, readyWhen: RegExp) {
  const program = `import { exclusively } from ${JSON.stringify(MODULE)};
    await exclusively(${JSON.stringify(root)}, () => new Promise(() => { console.log('in'); setInterval(() => {}, 1000); }));`;
  return startProcess(process.execPath, ['--input-type=module', '-e', program], { owner, readyWhen });
}

test('one process installs at a time, and the next one when it ended, however it ended', async (t) => {
  const root = await makeRoot(t);
  const first = await startInstaller(t, root, /^in/);
  const second = await startInstaller(t, root, /Waiting for another installation/);
  assert.doesNotMatch(second.output, /^in/m);
  await first.stop('SIGKILL');
  await eventually(() => assert.match(second.output, /^in/m));
});

test('a failed installation gives the turn back', async (t) => {
  const root = await makeRoot(t);
  const { exclusively } = (await import(MODULE)) as {
    exclusively: (root: string, work: () => unknown) => Promise<void>;
  };
  const failure = new Error('no network');
  await assert.rejects(
    exclusively(root, () => Promise.reject(failure)),
    failure,
  );
  assert.ok(!existsSync(join(root, '.runtime/installing')));

  mkdirSync(join(root, '.runtime'), { recursive: true });
  writeFileSync(join(root, '.runtime/installing'), '999999999');
  let ran = false;
  await exclusively(root, () => {
    ran = true;
  });
  assert.ok(ran, 'the lock of a process that is gone does not count');
});
