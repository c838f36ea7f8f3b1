import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { assertPortIsFree } from './addresses.ts';
import { chooseFreePorts, isPortFree } from './ports.ts';
import { StartError } from './start-error.ts';

test('a taken port is seen, on every address', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await isPortFree(port, '127.0.0.1'), false);
  assert.equal(await isPortFree(port, '0.0.0.0'), false);
  await assert.rejects(assertPortIsFree(['0.0.0.0'], port), (error) => {
    return (
      error instanceof StartError && error.message.includes(`Port ${port}`) && error.message.includes('PARLEY_PORT')
    );
  });
});

test('an address that is none of this machine is refused in words', async () => {
  await assert.rejects(assertPortIsFree(['192.0.2.1'], 8080), /PARLEY_HOST/);
  await assert.rejects(assertPortIsFree(['example'], 8080), /PARLEY_HOST is "example"/);
});

test('chosen ports are free, different, and off the range of outgoing connections', async () => {
  const ports = await chooseFreePorts(20);
  assert.equal(new Set(ports).size, 20);
  for (const port of ports) {
    assert.ok(port < 32_768);
    assert.ok(await isPortFree(port, '127.0.0.1'));
  }
});

test('a port is chosen once, by whichever process, until the one that has it ends', async (t) => {
  // Off the usual range, so that no other test takes part.
  const range = { first: 32_100, last: 32_119 };
  const ours = await chooseFreePorts(10, range);

  const program = `import { chooseFreePorts } from ${JSON.stringify(import.meta.resolve('./ports.ts'))};
    console.log(JSON.stringify(await chooseFreePorts(10, ${JSON.stringify(range)})));
    setInterval(() => {}, 60_000);`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => other.kill('SIGKILL'));
  const [line] = (await once(other.stdout, 'data')) as [Buffer];
  const theirs = JSON.parse(line.toString()) as number[];
  assert.equal(new Set([...ours, ...theirs]).size, 20);
  await assert.rejects(chooseFreePorts(1, range), /Found no 1 free ports/);

  other.kill('SIGKILL');
  await once(other, 'exit');
  assert.ok(theirs.includes((await chooseFreePorts(1, range))[0] ?? 0));
});
