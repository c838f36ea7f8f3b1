import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStatementNamer } from './statements.ts';

test('a text has one name, in every process', () => {
  const text = 'select "id" from "rooms" where "id" = $1';
  const name = createStatementNamer()(text);
  assert.equal(name, createStatementNamer()(text));
  assert.ok(name !== undefined && name.length < 64, 'PostgreSQL cuts names at 63 bytes');
});

test('names are bounded, and those given stay', () => {
  const nameOf = createStatementNamer(2);
  const first = nameOf('select $1');
  const second = nameOf('select $1, $2');
  assert.notEqual(first, second);
  assert.equal(nameOf('select $1, $2, $3'), undefined);
  assert.equal(nameOf('select $1'), first);
  assert.equal(nameOf('select $1, $2'), second);
});
