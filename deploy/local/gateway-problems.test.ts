import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@parley/test-support';
import { findProblem, followProblems } from './gateway-problems.ts';
import { openLog } from './logs.ts';

test('warnings and errors are found in a JSON log', () => {
  assert.equal(findProblem('{"level":40,"msg":"slow"}'), 'warning: slow');
  assert.equal(findProblem('{"level":"warn","msg":"slow"}'), 'warning: slow');
  assert.equal(findProblem('{"level":50,"msg":"failed","err":{"message":"gone"}}'), 'error: failed (gone)');
  assert.equal(findProblem('{"level":60,"err":{"message":"gone"}}'), 'error: without a message (gone)');
  for (const line of ['{"level":30,"msg":"fine"}', 'plain', '', '{"msg":"x"}', '42', 'null']) {
    assert.equal(findProblem(line), undefined, line);
  }
});

test('the problems of a gateway are said once, few at a time, and none of an earlier run', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-problems-'));
  t.after(() => rm(folder, { recursive: true }));
  const log = openLog(folder, 'gateway1');
  appendFileSync(log.path, '{"level":50,"msg":"old"}\n');
  const said: string[] = [];
  t.after(followProblems('gateway1', log, (line) => said.push(line)));

  const problem = (number: number) => `{"level":40,"msg":"${number}"}\n`;
  appendFileSync(log.path, `{"level":30,"msg":"fine"}\n${[1, 2, 3, 4, 5].map(problem).join('')}{"level":50,`);
  await eventually(() => assert.equal(said.length, 4));
  assert.deepEqual(said.slice(0, 3), ['gateway1: warning: 1', 'gateway1: warning: 2', 'gateway1: warning: 3']);
  assert.match(said[3] ?? '', /^gateway1: 2 more in .*gateway1\.log$/);
  appendFileSync(log.path, '"msg":"in two pieces"}\n');
  await eventually(() => assert.equal(said[4], 'gateway1: error: in two pieces'));
});
