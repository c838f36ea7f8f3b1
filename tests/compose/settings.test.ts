import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODE_FLAGS } from '../../deploy/local/gateways.ts';
import { ConfigError, readConfig } from '../../services/gateway/src/config.ts';
import { COMPOSE_FILE } from './project.ts';

/** Settings that nobody should change in a container: the ports that the file itself names, and a name of its own. */
const LEFT_ALONE = ['GATEWAY_NAME', 'HOST', 'LOCAL_SOCKET', 'METRICS_PORT', 'PORT'];

/** The names of all variables that a gateway reads. */
function settingsOfGateways(): string[] {
  const names = new Set<string>();
  const environment = new Proxy<Record<string, string>>(
    {},
    {
      get: (_target, name) => {
        if (typeof name === 'string' && /^[A-Z]/.test(name)) names.add(name);
        return undefined;
      },
    },
  );
  assert.throws(() => readConfig(environment), ConfigError);
  return [...names];
}

/** The names under `environment` of a service in docker-compose.yml. */
async function settingsOfService(service: string): Promise<string[]> {
  const text = await readFile(COMPOSE_FILE, 'utf8');
  const [, block = ''] = new RegExp(`^  ${service}:\\n((?: {4}.*\\n|\\n)+)`, 'm').exec(text) ?? [];
  const [, environment = ''] = /^ {4}environment:\n((?: {6}.*\n)+)/m.exec(block) ?? [];
  return [...environment.matchAll(/^ {6}([A-Z0-9_]+):/gm)].map(([, name = '']) => name);
}

test('docker-compose.yml passes on every setting that a gateway reads, and no other', async () => {
  const passed = await settingsOfService('gateway');
  const expected = settingsOfGateways().filter((name) => !LEFT_ALONE.includes(name));
  // The PostgreSQL client itself reads the password.
  assert.deepEqual(passed.toSorted(), [...expected, 'PGPASSWORD'].toSorted());
});

test('docs/operating.md has every setting that a gateway reads', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
  assert.deepEqual(
    settingsOfGateways().filter((name) => !text.includes(`\`${name}\``)),
    [],
  );
});

test('the image starts Node with the flags of the launcher, and docs/operating.md names them', async () => {
  const root = join(import.meta.dirname, '../..');
  const dockerfile = await readFile(join(root, 'deploy/docker/gateway.Dockerfile'), 'utf8');
  const [, command = ''] = /^CMD (.*)$/m.exec(dockerfile) ?? [];
  assert.deepEqual(JSON.parse(command), ['node', ...NODE_FLAGS, 'services/gateway/src/main.ts']);
  const text = await readFile(join(root, 'docs/operating.md'), 'utf8');
  assert.deepEqual(
    NODE_FLAGS.filter((flag) => !text.includes(flag)),
    [],
  );
});
