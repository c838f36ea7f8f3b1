import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test, type TestContext } from 'node:test';
import { goingFirst } from './going-first.ts';

const skip = process.getuid?.() !== 0 && 'only root may';

test('processes go first only while it is done', { skip }, async (t) => {
  const pid = await startSleeper(t);
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

test('so does the group of its session, where Linux has groups', { skip }, async (t) => {
  const pid = await startSleeper(t);
  const before = groupPriorityOf(pid);
  if (before === undefined) return t.skip('it has none');
  assert.equal(await goingFirst([pid], async () => groupPriorityOf(pid)), '-10');
  assert.equal(groupPriorityOf(pid), before);
});

test('a process that is gone does not keep the work from being done', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.equal(await goingFirst([child.pid as number], async () => 'done'), 'done');
});

/** A process with a session of its own. */
async function startSleeper(t: TestContext): Promise<number> {
  const child = spawn('sleep', ['60'], { detached: true });
  t.after(() => child.kill());
  await once(child, 'spawn');
  return child.pid as number;
}

/** As `/autogroup-123 nice 0` says it. */
function groupPriorityOf(pid: number): string | undefined {
  try {
    return / nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
