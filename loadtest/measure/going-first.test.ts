import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { goingFirst } from './going-first.ts';

test('processes go first only while it is done', { skip: process.getuid?.() !== 0 && 'only root may' }, async (t) => {
  const child = spawn('sleep', ['60'], { detached: true });
  t.after(() => child.kill());
  await once(child, 'spawn');
  const pid = child.pid as number;
  const before = getPriority(pid);
  const during = await goingFirst([pid], async () => getPriority(pid));
  assert.ok(during < before, `${during}`);
  assert.equal(getPriority(pid), before);
  await assert.rejects(
    goingFirst([pid], () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(getPriority(pid), before);
});

test('a process that is gone does not keep the work from being done', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.equal(await goingFirst([child.pid as number], async () => 'done'), 'done');
});
