import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startProcess } from '@parley/test-support';
import type { Owner, RunningProcess } from '@parley/test-support';
import { endLeftovers } from './leftovers.ts';
import { commandLine, identify, isAlive } from './process-identity.ts';

/** A process that says so when it is asked to end. */
function startSleeper(owner: Owner): Promise<RunningProcess> {
  const program = `process.on('SIGTERM', () => { console.log('asked'); process.exit(0); });
    setInterval(() => {}, 1000); console.log('runs');`;
  return startProcess(process.execPath, ['-e', program], { owner, readyWhen: /runs/ });
}

test('a process is known by its number and its start', async (t) => {
  const sleeper = await startSleeper(t);
  const identity = identify(sleeper.pid);
  assert.ok(identity !== undefined);
  assert.ok(isAlive(identity));
  assert.match(commandLine(sleeper.pid), /setInterval/);
  const later = await startSleeper(t);
  assert.notEqual(identity.startedAt, identify(later.pid)?.startedAt);

  await sleeper.stop('SIGKILL');
  assert.equal(identify(sleeper.pid), undefined);
  assert.equal(commandLine(sleeper.pid), '');
  assert.ok(!isAlive(identity));
});

test('a dead process that nobody waited for is no process', async (t) => {
  // The shell starts one and becomes a program that does not know of it.
  const program = 'sleep 1000 & echo "child $!"; exec sleep 1000';
  const parent = await startProcess('sh', ['-c', program], { owner: t, readyWhen: /child \d+/ });
  const pid = Number(/child (\d+)/.exec(parent.output)?.[1]);
  await eventually(() => assert.match(commandLine(parent.pid), /^sleep/));
  process.kill(pid, 'SIGKILL');
  await eventually(() => assert.equal(identify(pid), undefined));
  assert.ok(process.kill(pid, 0), 'it is still in the list');
});

test('a leftover is asked to end', async (t) => {
  const sleeper = await startSleeper(t);
  const identity = identify(sleeper.pid) ?? assert.fail();
  assert.deepEqual(await endLeftovers([{ name: 'gateway1', ...identity }]), ['gateway1']);
  assert.deepEqual(await sleeper.exited, { code: 0, signal: null });
  assert.match(sleeper.output, /asked/);
});

test('a leftover that was stopped goes on for it', async (t) => {
  const sleeper = await startSleeper(t);
  const identity = identify(sleeper.pid) ?? assert.fail();
  sleeper.kill('SIGSTOP');
  await endLeftovers([{ name: 'gateway1', ...identity }]);
  assert.deepEqual(await sleeper.exited, { code: 0, signal: null });
});

test('a leftover that does not listen is killed', async (t) => {
  const program = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('runs');`;
  const deaf = await startProcess(process.execPath, ['-e', program], { owner: t, readyWhen: /runs/ });
  await endLeftovers([{ name: 'redis', ...(identify(deaf.pid) ?? assert.fail()) }]);
  assert.deepEqual(await deaf.exited, { code: null, signal: 'SIGKILL' });
});

test('a foreign process that got the number of a recorded one is left alone', async (t) => {
  const sleeper = await startSleeper(t);
  const recorded = { name: 'gateway1', pid: sleeper.pid, startedAt: 'another boot 1' };
  assert.deepEqual(await endLeftovers([recorded]), []);
  assert.ok(identify(sleeper.pid) !== undefined);
  await sleeper.stop('SIGKILL');
  assert.doesNotMatch(sleeper.output, /asked/);
});
