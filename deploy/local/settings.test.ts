import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { readSettings } from './settings.ts';
import { StartError } from './start-error.ts';

test('the settings have defaults, also for variables that are set to nothing', () => {
  const defaults = { host: undefined, port: 8080, replicas: 3, dataDir: resolve('.parley'), restart: true };
  assert.deepEqual(readSettings({}), defaults);
  const empty = { PARLEY_HOST: '', PARLEY_PORT: '', PARLEY_REPLICAS: '', PARLEY_DATA_DIR: '', PARLEY_RESTART: '' };
  assert.deepEqual(readSettings(empty), defaults);
});

test('the settings come from the environment', () => {
  const settings = readSettings({
    PARLEY_HOST: '127.0.0.1',
    PARLEY_PORT: '9000',
    PARLEY_REPLICAS: '5',
    PARLEY_DATA_DIR: '/var/tmp/chat',
    PARLEY_RESTART: 'false',
  });
  assert.deepEqual(settings, { host: '127.0.0.1', port: 9000, replicas: 5, dataDir: '/var/tmp/chat', restart: false });
});

test('what is wrong with the settings is said all at once', () => {
  const wrong = { PARLEY_PORT: '80a', PARLEY_REPLICAS: '0', PARLEY_RESTART: 'no' };
  assert.throws(
    () => readSettings(wrong),
    (error) =>
      error instanceof StartError &&
      error.message.split('\n').length === 3 &&
      Object.keys(wrong).every((name) => error.message.includes(name)),
  );
  for (const port of ['0', '65536', '-1', '1e3', ' 80'])
    assert.throws(() => readSettings({ PARLEY_PORT: port }), StartError);
});
