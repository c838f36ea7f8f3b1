import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, startProcess } from '@parley/test-support';
import type { Owner } from '@parley/test-support';
import { startCluster } from '../../deploy/local/cluster.ts';
import type { ClusterInfo } from '../../deploy/local/cluster-run.ts';
import { commandLine, identify } from '../../deploy/local/process-identity.ts';
import { inReverse, makeDataDir, pidsOf, readInfo, ROOT, startLauncher } from './launcher-process.ts';
import type { Launcher } from './launcher-process.ts';

const PROGRAMS: Record<string, RegExp> = {
  gateway: /node .*services\/gateway\/src\/main\.ts$/,
  haproxy: /^\S*haproxy /,
  postgres: /^\S*postgres -D /,
  redis: /^\S*redis-server /,
};

function assertAllRun(info: ClusterInfo): void {
  for (const [name, pid] of pidsOf(info)) {
    assert.match(commandLine(pid), PROGRAMS[name.replace(/\d+$/, '')] as RegExp, `${name} is the process ${pid}`);
  }
}

function assertNoneRuns(pids: Iterable<number>): void {
  for (const pid of pids) assert.equal(identify(pid), undefined, `process ${pid}: ${commandLine(pid)}`);
}

/** The demo program from the banner, word for word, where socket.io-client is installed. */
async function runDemo(launcher: Launcher, owner: Owner): Promise<string> {
  const program = /^-{60}\n([\s\S]*?)^-{60}$/m.exec(launcher.process.output)?.[1];
  assert.ok(program !== undefined, 'the banner has a program');
  const folder = await mkdtemp(join(tmpdir(), 'parley-demo-'));
  owner.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules'));
  const client = join(ROOT, 'services/gateway/node_modules/socket.io-client');
  await symlink(client, join(folder, 'node_modules/socket.io-client'));
  await writeFile(join(folder, 'chat.mjs'), program);
  const demo = await startProcess(process.execPath, ['chat.mjs'], { owner, cwd: folder, readyWhen: /Demo: Hello!/ });
  await demo.stop();
  return demo.output;
}

describe('npm start', () => {
  const owner = inReverse({ after });
  let launcher: Launcher;

  before(async () => {
    launcher = await startLauncher(owner, { dataDir: await makeDataDir(owner) });
  });

  test('writes cluster.json, readable by its owner only, with the processes of the servers themselves', async () => {
    const info = await readInfo(launcher.dataDir);
    assert.equal((await stat(join(launcher.dataDir, 'cluster.json'))).mode & 0o777, 0o600);
    assert.equal(info.url, `http://127.0.0.1:${launcher.port}`);
    assert.equal(info.haproxy.port, launcher.port);
    assert.deepEqual(
      info.gateways.map(({ name }) => name),
      ['gateway1', 'gateway2'],
    );
    assert.match(info.postgres.url, /^postgres:\/\/parley:\w+@127\.0\.0\.1:\d+\/parley$/);
    assert.match(info.redis.url, /^redis:\/\/:\w+@127\.0\.0\.1:\d+$/);
    assertAllRun(info);
    assert.equal((await fetch(`${info.url}/health/ready`)).status, 200);
    for (const { port, metricsPort } of info.gateways) {
      assert.equal((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 200);
      assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status, 200);
    }
    assert.equal((await fetch(info.haproxy.statsUrl)).status, 200);
  });

  test('prints a program that chats as it is', async (t) => {
    assert.match(await runDemo(launcher, t), /Demo: Hello!/);
  });

  test('keeps a long-polling client that has no cookies with its gateway', async () => {
    const gateways = new Set<string>();
    for (let client = 0; client < 6; client++) {
      const path = `http://127.0.0.1:${launcher.port}/socket.io/?EIO=4&transport=polling`;
      const ask = async (query = '', body?: string): Promise<string> => {
        const answer = await fetch(path + query, body === undefined ? {} : { method: 'POST', body });
        assert.equal(answer.status, 200);
        return answer.text();
      };
      const { sid } = JSON.parse((await ask()).slice(1)) as { sid: string };
      gateways.add(sid.split('.')[0] ?? '');
      await ask(`&sid=${sid}`, `40${JSON.stringify({ token: tokenOf(launcher) })}`);
      assert.match(await ask(`&sid=${sid}`), /^40\{"sid":/);
      await ask(`&sid=${sid}`, '41\x1e1');
    }
    assert.deepEqual([...gateways].sort(), ['gateway1', 'gateway2']);
  });

  for (const name of ['gateway1', 'redis', 'postgres', 'haproxy']) {
    test(`starts ${name} again when it was killed, on the same port, and rewrites the file`, async () => {
      const info = await readInfo(launcher.dataDir);
      const killed = pidsOf(info).get(name) as number;
      process.kill(killed, 'SIGKILL');
      const now = await eventually(
        async () => {
          const current = await readInfo(launcher.dataDir);
          assert.notEqual(pidsOf(current).get(name), killed);
          return current;
        },
        { timeoutMs: 60_000 },
      );
      assertAllRun(now);
      const withoutPids = (value: ClusterInfo) =>
        JSON.stringify(value, (key, part: unknown) => (key === 'pid' ? 0 : part));
      assert.equal(withoutPids(now), withoutPids(info));
      for (const [other, pid] of pidsOf(info)) {
        if (other !== name) assert.equal(pidsOf(now).get(other), pid, `${other} lives on`);
      }
      await eventually(async () => assert.equal((await fetch(`${now.url}/health/ready`)).status, 200));
      assert.match(launcher.process.output, /was killed by SIGKILL, starting it again/);
    });
  }

  test('starts a gateway again that was asked to end', async () => {
    const { pid } = (await readInfo(launcher.dataDir)).gateways[1] ?? assert.fail();
    process.kill(pid, 'SIGTERM');
    await eventually(
      async () => {
        const current = (await readInfo(launcher.dataDir)).gateways[1];
        assert.notEqual(current?.pid, pid);
      },
      { timeoutMs: 60_000 },
    );
    assertAllRun(await readInfo(launcher.dataDir));
  });

  test('refuses a second one in the same data directory', async (t) => {
    const before = await readInfo(launcher.dataDir);
    await assert.rejects(
      startLauncher(t, { dataDir: launcher.dataDir }),
      (error: Error) => error.message.includes('A cluster is already running') && error.message.includes(before.url),
    );
    assert.deepEqual(await readInfo(launcher.dataDir), before);
    assertAllRun(before);
  });

  test('refuses a port that is taken, and leaves nothing behind', async (t) => {
    const own = inReverse(t);
    const dataDir = await makeDataDir(own);
    await assert.rejects(
      startLauncher(own, { dataDir, port: launcher.port }),
      new RegExp(`Port ${launcher.port} is taken[\\s\\S]*PARLEY_PORT`),
    );
    await assert.rejects(stat(join(dataDir, 'cluster.json')), { code: 'ENOENT' });
    await assert.rejects(stat(join(dataDir, 'launcher.json')), { code: 'ENOENT' });
  });

  test('after a kill -9 ends what was left, keeps the data, and runs one set of processes', async (t) => {
    const old = await readInfo(launcher.dataDir);
    const secrets = await readFile(join(launcher.dataDir, 'secrets.json'), 'utf8');
    await launcher.process.stop('SIGKILL');
    assertAllRun(old);
    // One that cannot react is no obstacle.
    process.kill(old.gateways[0]?.pid ?? 0, 'SIGSTOP');

    launcher = await startLauncher(owner, { dataDir: launcher.dataDir, port: launcher.port });
    assertNoneRuns(pidsOf(old).values());
    const now = await readInfo(launcher.dataDir);
    assertAllRun(now);
    assert.equal(await readFile(join(launcher.dataDir, 'secrets.json'), 'utf8'), secrets);
    const hellos = (await runDemo(launcher, t)).match(/Demo: Hello!/g);
    assert.equal(hellos?.length, 1);
    assert.equal(await countMessages(launcher), 2, 'one of this run, one of the run before');
  });

  test('takes everything down on SIGTERM and ends with 0', async () => {
    const info = await readInfo(launcher.dataDir);
    assert.deepEqual(await launcher.process.stop('SIGTERM'), { code: 0, signal: null });
    assertNoneRuns([...pidsOf(info).values(), info.launcher.pid]);
    await assert.rejects(stat(join(launcher.dataDir, 'cluster.json')), { code: 'ENOENT' });
    await assert.rejects(fetch(info.url));
  });
});

/** The token of the banner. */
function tokenOf(launcher: Launcher): string {
  return /const token = '([^']+)'/.exec(launcher.process.output)?.[1] ?? assert.fail('the banner has no token');
}

/** Over REST. */
async function countMessages(launcher: Launcher): Promise<number> {
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${launcher.port}/api${path}`, {
      headers: { authorization: `Bearer ${tokenOf(launcher)}` },
    });
    assert.equal(answer.status, 200, path);
    return answer.json();
  };
  const { rooms } = (await get('/rooms?search=Lobby')) as { rooms: { id: string; headSeq: number }[] };
  return rooms[0]?.headSeq ?? 0;
}

test('PARLEY_RESTART=false leaves dead what died', async (t) => {
  const owner = inReverse(t);
  const dataDir = await makeDataDir(owner);
  const launcher = await startLauncher(owner, { dataDir, env: { PARLEY_RESTART: 'false' } });
  const info = await readInfo(dataDir);
  process.kill(info.gateways[0]?.pid ?? 0, 'SIGKILL');
  await eventually(() => assert.match(launcher.process.output, /gateway1 was killed by SIGKILL \(/));
  process.kill(info.redis.pid, 'SIGKILL');
  await eventually(() => assert.match(launcher.process.output, /Redis was killed by SIGKILL \(/));
  assert.deepEqual(await readInfo(dataDir), info);
  assert.equal((await launcher.process.stop('SIGINT')).code, 0);
  assertNoneRuns(pidsOf(info).values());
});

test('a gateway that refuses its settings is heard, and nothing is left running', async (t) => {
  const owner = inReverse(t);
  const dataDir = await makeDataDir(owner);
  await assert.rejects(startLauncher(owner, { dataDir, env: { JWT_SECRET: 'too short' } }), /32 bytes/);
  await assert.rejects(stat(join(dataDir, 'launcher.json')), { code: 'ENOENT' });
});

test('settings that make no sense are all named', async (t) => {
  const env = { PARLEY_REPLICAS: 'many', PARLEY_RESTART: 'perhaps' };
  const owner = inReverse(t);
  const dataDir = await makeDataDir(owner);
  await assert.rejects(startLauncher(owner, { dataDir, port: 70_000, env }), (error: Error) =>
    ['PARLEY_PORT', 'PARLEY_REPLICAS', 'PARLEY_RESTART'].every((name) => error.message.includes(name)),
  );
});

test('as a library, with two clusters side by side', async (t) => {
  const owner = inReverse(t);
  const [first, second] = await Promise.all(
    [await makeDataDir(owner), await makeDataDir(owner)].map(async (dataDir) => {
      const cluster = await startCluster({ dataDir, replicas: 1, host: '127.0.0.1' });
      owner.after(() => cluster.stop());
      return cluster;
    }),
  );
  assert.ok(first !== undefined && second !== undefined);
  assert.notEqual(first.url, second.url);
  for (const cluster of [first, second]) {
    assertAllRun(cluster.info);
    assert.equal((await fetch(`${cluster.url}/health/ready`)).status, 200);
  }
  await first.stop();
  assertNoneRuns(pidsOf(first.info).values());
  assertAllRun(second.info);
});
