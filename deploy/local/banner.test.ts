import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner, demoProgram } from './banner.ts';

const facts = {
  url: 'http://localhost:8080',
  isPublic: true,
  statsUrl: 'http://127.0.0.1:20001/',
  dataDir: '.parley',
  token: 'a.b.c',
};

test('the banner has what a newcomer needs', () => {
  const text = banner(facts);
  for (const part of [facts.url, facts.statsUrl, '.parley/cluster.json', '.parley/logs', 'Ctrl-C']) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(text.includes(demoProgram(facts.url, facts.token)));
  assert.match(text, /for other machines/);
  assert.doesNotMatch(banner({ ...facts, isPublic: false }), /for other machines/);
});

test('the demo program is short', () => {
  const lines = demoProgram(facts.url, facts.token).split('\n');
  assert.ok(lines.length <= 13 && lines.every((line) => line.length < 120));
});
