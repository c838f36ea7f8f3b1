import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, findPostgresPrograms, findProgram, parseVersion } from './programs.ts';

test('versions are found in what programs say of themselves', () => {
  const said: [string, number[]][] = [
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', [15, 18]],
    ['postgres (PostgreSQL) 19beta1', [19]],
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', [7, 0, 15]],
    ['HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/', [2, 6, 12]],
    ['HAProxy version 3.2-dev5 2025/02/08', [3, 2]],
  ];
  for (const [text, version] of said) assert.deepEqual(parseVersion(text), version, text);
  assert.equal(parseVersion('command not found'), undefined);
});

test('versions are compared by their numbers', () => {
  assert.ok(compareVersions([2, 10], [2, 6]) > 0);
  assert.ok(compareVersions([6, 2, 14], [7, 0]) < 0);
  assert.equal(compareVersions([14], [14, 0]), 0);
});

test('programs are found with their versions', () => {
  const node = findProgram('node', '--version');
  assert.ok(node !== undefined && node.path.endsWith('/node') && node.version.length === 3);
  assert.equal(findProgram('no-such-program', '--version'), undefined);
  const postgres = findPostgresPrograms();
  assert.ok(postgres.length > 0, 'the tests of this project need PostgreSQL');
  assert.equal(new Set(postgres.map(({ path }) => path)).size, postgres.length, 'each is listed once');
});
