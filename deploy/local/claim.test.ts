import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProcess } from '@parley/test-support';
import type { Owner } from '@parley/test-support';
import { claimDataDir } from './claim.ts';
import { identify } from './process-identity.ts';
import { StartError } from './start-error.ts';

const URL = 'http://127.0.0.1:8080';

async function makeDataDir(owner: Owner): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-claim-'));
  owner.after(() => rm(dataDir, { recursive: true }));
  return dataDir;
}

function recordOf(dataDir: string, launcher: object, processes: object, state = 'running'): void {
  writeFileSync(join(dataDir, 'launcher.json'), JSON.stringify({ state, url: URL, launcher, processes }));
}

async function startSleeper(owner: Owner, program = 'setInterval(() => {}, 1000)') {
  return startProcess(process.execPath, ['-e', `${program}; console.log('runs')`], { owner, readyWhen: /runs/ });
}

test('a data directory belongs to one launcher at a time', async (t) => {
  const dataDir = await makeDataDir(t);
  const claim = await claimDataDir(dataDir, URL, () => {});
  await assert.rejects(
    claimDataDir(dataDir, URL, () => {}),
    (error) => {
      return (
        error instanceof StartError && error.message.includes(URL) && error.message.includes(`kill ${process.pid}`)
      );
    },
  );
  claim.release();
  (await claimDataDir(dataDir, URL, () => {})).release();
  assert.deepEqual(await readdir(dataDir), []);
});

test('what a dead launcher left running is ended, and nothing else', async (t) => {
  const dataDir = await makeDataDir(t);
  const [left, foreign] = [await startSleeper(t), await startSleeper(t)];
  const processes = { gateway1: identify(left.pid), redis: { pid: foreign.pid, startedAt: 'long ago' } };
  recordOf(dataDir, { pid: process.pid, startedAt: 'long ago' }, processes);
  const said: string[] = [];
  const claim = await claimDataDir(dataDir, URL, (line) => said.push(line));
  await left.exited;
  assert.ok(identify(foreign.pid) !== undefined);
  assert.deepEqual(said, ['Ended what a killed launcher left running: gateway1']);
  claim.release();
});

test('every process is written down as it starts', async (t) => {
  const dataDir = await makeDataDir(t);
  const claim = await claimDataDir(dataDir, URL, () => {});
  const sleeper = await startSleeper(t);
  claim.recordProcess('gateway1', sleeper.pid);
  const read = async () => JSON.parse(await readFile(join(dataDir, 'launcher.json'), 'utf8')) as { processes: object };
  assert.deepEqual((await read()).processes, { gateway1: identify(sleeper.pid) });
  claim.recordProcess('gateway1', undefined);
  assert.deepEqual((await read()).processes, {});
  claim.release();
  claim.recordProcess('gateway1', sleeper.pid);
  assert.ok(!existsSync(join(dataDir, 'launcher.json')), 'after the release nothing is written any more');
});

test('a launcher that is just stopping is waited for', async (t) => {
  const dataDir = await makeDataDir(t);
  const stopping = await startSleeper(t);
  recordOf(dataDir, identify(stopping.pid) ?? assert.fail(), {}, 'stopping');
  const said: string[] = [];
  const claim = claimDataDir(dataDir, URL, (line) => {
    said.push(line);
    stopping.kill('SIGKILL');
  });
  (await claim).release();
  assert.match(said.join(), /Waiting for the cluster that is just stopping/);
});

test('of many launchers that start at once after a dead one, one wins', async (t) => {
  const dataDir = await makeDataDir(t);
  recordOf(dataDir, { pid: process.pid, startedAt: 'long ago' }, {});
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => claimDataDir(dataDir, URL, () => {})));
  const claims = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  assert.equal(claims.length, 1);
  claims[0]?.release();
  assert.deepEqual(await readdir(dataDir), []);
});
