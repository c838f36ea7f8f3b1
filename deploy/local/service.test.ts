import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@parley/test-support';
import type { Owner } from '@parley/test-support';
import { openLog } from './logs.ts';
import { identify } from './process-identity.ts';
import { superviseService } from './service.ts';
import type { Service } from './service.ts';
import { StartError } from './start-error.ts';

interface Bench {
  service: Service;
  folder: string;
  pids: (number | undefined)[];
  returns: number;
  said: string[];
}

const RUN = 'setInterval(() => {}, 1000); ';
const READY = `require('node:fs').writeFileSync('ready', String(process.pid)); `;

/** A service whose process runs `program` in a folder of its own; it is ready when it wrote its pid to `ready`. */
async function makeService(owner: Owner, program: string, restart = true): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-service-'));
  const bench: Omit<Bench, 'service'> = { folder, pids: [], returns: 0, said: [] };
  const service = superviseService(
    {
      name: 'thing',
      title: 'Thing',
      log: openLog(folder, 'thing'),
      command: { program: process.execPath, args: ['-e', program], env: process.env, cwd: folder },
      async isReady(child) {
        const file = join(folder, 'ready');
        return existsSync(file) && (await readFile(file, 'utf8')) === String(child.pid);
      },
      startTimeoutMs: 20_000,
      stopSteps: [
        { signal: 'SIGTERM', forMs: 3_600_000 },
        { signal: 'SIGKILL', forMs: 3_600_000 },
      ],
    },
    {
      restart,
      events: {
        onProcess: (_name, pid) => bench.pids.push(pid),
        onReturn: () => (bench.returns += 1),
        say: (line) => bench.said.push(line),
      },
    },
  );
  owner.after(async () => {
    await service.stop({ force: true });
    await rm(folder, { recursive: true });
  });
  return Object.assign(bench, { service });
}

test('a service is started, and ended by its first signal', async (t) => {
  const bench = await makeService(t, READY + RUN);
  await bench.service.start();
  assert.equal(await readFile(join(bench.folder, 'ready'), 'utf8'), String(bench.service.pid));
  await Promise.all([bench.service.stop(), bench.service.stop()]);
  assert.equal(identify(bench.service.pid), undefined);
  assert.deepEqual(bench.pids, [bench.service.pid, undefined]);
  assert.deepEqual(bench.said, []);
});

test('a service that ends before it is ready says why', async (t) => {
  const { service, said } = await makeService(t, `console.error('no port for me'); process.exit(3)`);
  await assert.rejects(service.start(), (error) => {
    return error instanceof StartError && /Thing ended with exit code 3[\s\S]*no port for me$/.test(error.message);
  });
  assert.deepEqual(said, [], 'it is not started again');
});

test('a program that is not there says so', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-service-'));
  t.after(() => rm(folder, { recursive: true }));
  const service = superviseService(
    {
      name: 'thing',
      title: 'Thing',
      log: openLog(folder, 'thing'),
      command: { program: join(folder, 'nothing'), args: [], env: {}, cwd: folder },
      isReady: () => Promise.resolve(false),
      startTimeoutMs: 20_000,
      stopSteps: [{ signal: 'SIGKILL', forMs: 1_000 }],
    },
    { restart: true, events: { onProcess: () => {}, onReturn: () => {}, say: () => {} } },
  );
  await assert.rejects(service.start(), /Thing could not be started .*ENOENT/);
  await service.stop();
});

test('a service that dies is started again and again, and counts as back when it serves', async (t) => {
  const bench = await makeService(t, READY + RUN);
  await bench.service.start();
  for (let death = 1; death <= 3; death++) {
    const { pid } = bench.service;
    process.kill(pid, 'SIGKILL');
    await eventually(() => assert.equal(bench.returns, death));
    assert.notEqual(bench.service.pid, pid);
    assert.equal(await readFile(join(bench.folder, 'ready'), 'utf8'), String(bench.service.pid));
  }
  assert.equal(
    bench.said.filter((line) => line.startsWith('Thing was killed by SIGKILL, starting it again')).length,
    3,
  );
});

test('a service that cannot come back does not end the attempts, and can be stopped between them', async (t) => {
  const bench = await makeService(t, `if (require('node:fs').existsSync('broken')) process.exit(4); ${READY}${RUN}`);
  await bench.service.start();
  writeFileSync(join(bench.folder, 'broken'), '');
  process.kill(bench.service.pid, 'SIGKILL');
  await eventually(() => assert.ok(bench.said.filter((line) => line.includes('exit code 4')).length >= 2));
  assert.equal(bench.returns, 0);
  await bench.service.stop();
  const attempts = bench.pids.length;
  assert.equal(identify(bench.service.pid), undefined);
  assert.equal(bench.pids.length, attempts);
});

test('without restart a service that dies stays dead', async (t) => {
  const bench = await makeService(t, READY + RUN, false);
  await bench.service.start();
  process.kill(bench.service.pid, 'SIGKILL');
  await eventually(() => assert.equal(bench.said.length, 1));
  assert.doesNotMatch(bench.said[0] ?? '', /starting it again/);

  // By the time another one is back, it would be, too.
  const other = await makeService(t, READY + RUN);
  await other.service.start();
  process.kill(other.service.pid, 'SIGKILL');
  await eventually(() => assert.equal(other.returns, 1));
  assert.equal(bench.returns, 0);
  await bench.service.stop();
  assert.equal(bench.pids.filter((pid) => pid !== undefined).length, 1);
});

test('a stopped process hears the signal, a deaf one is killed by force', { timeout: 60_000 }, async (t) => {
  const stopped = await makeService(t, `process.on('SIGTERM', () => process.exit(0)); ${READY}${RUN}`);
  await stopped.service.start();
  process.kill(stopped.service.pid, 'SIGSTOP');
  await stopped.service.stop();

  const deaf = await makeService(t, `process.on('SIGTERM', () => console.log('no')); ${READY}${RUN}`);
  await deaf.service.start();
  const stopping = deaf.service.stop();
  await eventually(async () => assert.match(await readFile(join(deaf.folder, 'logs/thing.log'), 'utf8'), /no/));
  await deaf.service.stop({ force: true });
  await stopping;
  assert.equal(identify(deaf.service.pid), undefined);
});
