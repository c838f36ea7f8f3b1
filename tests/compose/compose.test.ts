import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { eventually, freePort } from '@parley/test-support';
import { inReverse } from '../cluster/launcher-process.ts';
import { SECRET } from '../support/environment.ts';
import { callOk } from '../support/http.ts';
import { Company } from './company.ts';
import { findEngine } from './engine.ts';
import { ComposeProject } from './project.ts';

const engine = await findEngine();
const NAME = `parley-test-${process.pid}`;
const SETTINGS = {
  JWT_SECRET: SECRET,
  // With everything that would be special in a URL.
  POSTGRES_PASSWORD: 'p/w+@:%?#&= of the test',
  PARLEY_HOST: '127.0.0.1',
  DRAIN_MS: '2000',
  RATE_MESSAGES_ROOM: 'off',
  RATE_MESSAGES_USER: 'off',
};
/** The end of the process of the gateway itself, from inside: the engine takes a kill from outside for a stop. */
const KILL = 'for p in /proc/[0-9]*; do grep -q mai[n].ts $p/cmdline && kill -9 ${p#/proc/}; done';
const STARTED_AT =
  "fetch('http://127.0.0.1:9100/metrics').then((answer) => answer.text())" +
  '.then((text) => console.log(/^process_start_time_seconds (.*)$/m.exec(text)[1]))';

// One story: each test goes on where the one before ended.
describe('docker compose', { skip: engine.missing }, () => {
  const owner = inReverse({ after });
  let project: ComposeProject;
  let url: string;
  let settings: Record<string, string>;
  let company: Company;

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    settings = { ...SETTINGS, PARLEY_PORT: String(port) };
    project = await ComposeProject.open(owner, engine, { name: NAME, settings });
    company = new Company(owner, url);
    await project.run('build');
    await project.up();
  });

  const gatewaysAreHealthy = (count: number) =>
    eventually(
      async () => {
        const health = (await project.containers('gateway')).map(({ Health }) => Health);
        assert.deepEqual(health, Array.from({ length: count }).fill('healthy'));
      },
      { timeoutMs: 60_000, everyMs: 500, message: 'waiting for the health of the gateways' },
    );

  test('comes up healthy, with three gateways', async () => {
    const containers = await project.containers();
    assert.deepEqual(
      containers.map(({ Service }) => Service).toSorted(),
      'gateway gateway gateway haproxy postgres redis'.split(' '),
    );
    assert.deepEqual(
      containers.filter(({ State, Health }) => State !== 'running' || Health !== 'healthy'),
      [],
    );
  });

  test('publishes one port', async () => {
    const published = (await project.containers()).flatMap(({ Service, Publishers }) =>
      (Publishers ?? []).map(({ PublishedPort }) => [Service, PublishedPort] as const),
    );
    assert.deepEqual(
      published.filter(([, port]) => port > 0),
      [['haproxy', Number(new URL(url).port)]],
    );
  });

  test('runs what is ours as plain users that cannot write', async () => {
    for (const [service, user, path] of [
      ['gateway', 'node', '/app'],
      ['haproxy', 'haproxy', '/usr/local/etc/haproxy'],
    ] as const) {
      assert.equal(await project.exec(service, 1, 'id', '-un'), user);
      const written = await project.attempt(['exec', '-T', service, 'touch', `${path}/x`]);
      assert.match(written.stderr, /Read-only file system/);
    }
  });

  test('makes accounts', async () => {
    const username = `u-${randomUUID().slice(0, 8)}`;
    await callOk({ url }, 'authRegister', { body: { username, password: randomUUID() } });
  });

  test('lets clients on three gateways chat, one of them by long-polling', async () => {
    await company.enterBeside(company.gateways, 'ann');
    await company.enterBeside(company.gateways, 'bob');
    await company.enterBeside(company.gateways, 'cy', { transports: ['polling'] });
    await company.chat();
  });

  test('gives clients to a fourth gateway, and leaves those who are there alone', async () => {
    await company.listenDuring(project.up(4));
    await company.enterBeside(company.gateways, 'dee');
    await company.chat();
    assert.deepEqual(
      company.members.flatMap(({ client }) => client.disconnects),
      [],
    );
  });

  test('sends the clients of gateways that are taken away to the others', async () => {
    await company.listenDuring(project.up(2));
    await company.chat();
    assert.equal(company.gateways.size, 2);
    const farewells = company.members.map(({ client }) => client.all('session:ended').map(({ code }) => code));
    // Each was on a gateway of its own, and two of those are gone. One may have met both.
    assert.ok(farewells.filter((codes) => codes.length > 0).length >= 2, JSON.stringify(farewells));
    assert.deepEqual([...new Set(farewells.flat())], ['SERVER_DRAIN']);
  });

  test('starts a gateway that is killed again', async (context) => {
    const startedAt = await project.exec('gateway', 1, 'node', '-e', STARTED_AT);
    const restart = async () => {
      await project.attempt(['exec', '-T', '--index=1', 'gateway', 'sh', '-c', KILL]);
      await eventually(
        async () => assert.notEqual(await project.exec('gateway', 1, 'node', '-e', STARTED_AT), startedAt),
        { timeoutMs: 60_000, everyMs: 500, message: 'waiting for another process' },
      );
      await gatewaysAreHealthy(2);
    };
    const retries = await company.listenDuring(restart());
    context.diagnostic(`requests that were tried again: ${retries}`);
    await company.chat();
  });

  // The script wants the `docker` command for more than compose.
  test('replaces the gateways one by one', { skip: engine.command[0] !== 'docker' }, async (context) => {
    const before = (await project.containers()).map(({ ID }) => ID);
    await project.configure({ ...settings, LOG_LEVEL: 'warn' });
    const retries = await company.listenDuring(project.runScript('deploy/docker/rolling-update.sh'));
    context.diagnostic(`requests that were tried again: ${retries}`);
    await company.chat();
    const replaced = (await project.containers()).filter(({ ID }) => !before.includes(ID));
    assert.deepEqual(
      replaced.map(({ Service, Health }) => [Service, Health]),
      [
        ['gateway', 'healthy'],
        ['gateway', 'healthy'],
      ],
    );
  });

  test('keeps history over down and up, and goes on where it was', async () => {
    const [ann] = company.members;
    assert.ok(ann);
    await project.run('down');
    assert.deepEqual(await project.containers(), []);
    await project.up(2);
    // Everybody comes back with what was there before, and this finds a gap and a repeat.
    await company.chat();
    const { messages } = await ann.client.ok('message:history', { roomId: ann.roomId, after: 0, limit: 100 });
    assert.deepEqual(messages, ann.known.toSorted((a, b) => a.seq - b.seq).slice(0, 100));
  });
});

describe('docker compose without a secret', { skip: engine.missing }, () => {
  for (const name of ['JWT_SECRET', 'POSTGRES_PASSWORD'] as const) {
    test(`refuses to start without ${name}, and says so`, async (context) => {
      const settings = { ...SETTINGS, [name]: '' };
      const project = await ComposeProject.open(context, engine, { name: `${NAME}-refused`, settings });
      const { code, stderr } = await project.attempt(['config', '--quiet']);
      context.diagnostic(stderr.trim());
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`${name} is missing a value: put .* into \\.env, see \\.env\\.example`));
    });
  }
});
