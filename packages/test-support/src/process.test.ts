import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProcess, type Owner } from './process.ts';

/** Says that it is ready once it is, and lives until it is told to end. */
const SERVER = `process.once('SIGTERM', () => { console.error('bye'); process.exit(3); });
  setInterval(() => {}, 1000); process.stdout.write('ready\\n');`;

test('it is ready when it says so, and stops with what it answers', async (t) => {
  const running = await startProcess(process.execPath, ['-e', SERVER], { owner: t, readyWhen: /^ready$/m });
  process.kill(running.pid, 0);
  assert.deepEqual(await running.stop(), { code: 3, signal: null });
  assert.deepEqual(await running.exited, { code: 3, signal: null });
  assert.equal(running.output, 'ready\nbye\n');
  assert.deepEqual(await running.stop(), { code: 3, signal: null });
});

test('what ends before it is ready throws with its output', async (t) => {
  const start = startProcess(process.execPath, ['-e', 'console.log("no port")'], { owner: t, readyWhen: /ready/ });
  await assert.rejects(start, /ended .*"code":0.* before it was ready:\nno port/);
});

test('what is never ready throws with its output', async (t) => {
  const options = { owner: t, readyWhen: /steady/, readyTimeoutMs: 1_000 };
  await assert.rejects(startProcess(process.execPath, ['-e', SERVER], options), /to print steady[^]*ready/);
});

test('what does not listen is killed, and that is an error', async (t) => {
  const deaf = `process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)`;
  const running = await startProcess(process.execPath, ['-e', deaf], { owner: t, readyWhen: /ready/ });
  await assert.rejects(running.stop('SIGTERM', 50), /after SIGTERM did not come within 50 ms/);
  assert.deepEqual(await running.exited, { code: null, signal: 'SIGKILL' });
});

test('it does not outlive its owner, and has the environment that was asked for', async () => {
  const closers: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (close) => void closers.push(close) };
  const script = 'console.log(process.env.ADDED, process.env.HOME); setInterval(() => {}, 1000)';
  const running = await startProcess(process.execPath, ['-e', script], {
    owner,
    env: { ADDED: 'yes', HOME: undefined },
    readyWhen: /yes undefined/,
  });
  for (const close of closers) await close();
  assert.deepEqual(await running.exited, { code: null, signal: 'SIGKILL' });
});

test('a program that is not there is an error', async (t) => {
  await assert.rejects(startProcess('/nonexistent/program', [], { owner: t }), /ENOENT/);
});
