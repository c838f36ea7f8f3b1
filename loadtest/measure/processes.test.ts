import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { familyOf, machineCpuSeconds, parseStat, usageOf } from './processes.ts';

test('reads a stat line of a program with spaces and brackets in its name', () => {
  const line = '123 (a) b (c)) S 45 123 123 0 -1 4194304 1000 0 0 0 250 50 20 5 20 0 1 0 100 1000 200';
  assert.deepEqual(parseStat(line), { parent: 45, cpuTicks: 325 });
});

test('sees what this process uses grow', () => {
  const [before, machineBefore] = [usageOf([process.pid]), machineCpuSeconds()];
  const until = process.cpuUsage().user + 100_000;
  while (process.cpuUsage().user < until);
  const after = usageOf([process.pid]);
  assert.ok(after.cpuSeconds > before.cpuSeconds);
  assert.ok(after.rssBytes > 10_000_000);
  assert.ok(machineCpuSeconds() > machineBefore);
});

test('finds the descendants of a process, and counts nothing for one that is gone', async () => {
  const child = spawn('sh', ['-c', 'sleep 60 & echo; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const family = familyOf(process.pid);
  assert.ok(family.includes(child.pid as number));
  const sleeper = familyOf(child.pid as number).find((pid) => pid !== child.pid);
  assert.ok(sleeper !== undefined);
  process.kill(sleeper);
  await once(child, 'exit');
  assert.deepEqual(usageOf([child.pid as number]), { cpuSeconds: 0, rssBytes: 0 });
});
