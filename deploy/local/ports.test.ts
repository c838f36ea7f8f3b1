import assert from 'node:assert/strict';
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
