import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareDataDir } from './data-dir.ts';
import { StartError } from './start-error.ts';

const OWN = process.getuid?.() === 0 ? 0o711 : 0o700;
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('the data directory is made for its owner', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'parley-data-'));
  t.after(() => rm(parent, { recursive: true }));
  prepareDataDir(join(parent, 'a/b'));
  assert.equal(modeOf(join(parent, 'a/b')), OWN);

  const fresh = mkdtempSync(join(parent, 'fresh-'));
  prepareDataDir(fresh);
  assert.equal(modeOf(fresh), OWN);
});

test('the rights of a directory that is used already, or open to others, stay as they are', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'parley-data-'));
  t.after(() => rm(parent, { recursive: true }));
  const open = mkdtempSync(join(parent, 'open-'));
  chmodSync(open, 0o777);
  prepareDataDir(open);
  assert.equal(modeOf(open), 0o777);

  const used = mkdtempSync(join(parent, 'used-'));
  writeFileSync(join(used, 'file'), '');
  chmodSync(used, 0o750);
  prepareDataDir(used);
  assert.equal(modeOf(used), 0o750);
});

test('a data directory that cannot be is refused', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'parley-data-'));
  t.after(() => rm(parent, { recursive: true }));
  writeFileSync(join(parent, 'file'), '');
  assert.throws(() => prepareDataDir(join(parent, 'file')), StartError);
  assert.throws(() => prepareDataDir(join(parent, 'file/below')), /PARLEY_DATA_DIR/);
});
