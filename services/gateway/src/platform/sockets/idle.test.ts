import { eventually } from '@parley/test-support';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine } from './server.ts';
import { serveEngine, upgradeTcp } from './testing/serve.ts';

// What connections keep, and send, while nothing happens.

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

for (const cors of [undefined, { origin: '*' }]) {
  test(`an open WebSocket does not keep its request${cors ? ', nor with CORS' : ''}`, async (t) => {
    const { request, client } = await openWebSocket(t, { pingIntervalMs: 60_000, cors });
    await eventually(() => {
      collectGarbage();
      assert.equal(request.deref(), undefined);
    });
    assert.equal(client.destroyed, false);
  });
}

test('pings are whole frames, and a client that answers them stays', async (t) => {
  const { client, engineClients } = await openWebSocket(t, { pingIntervalMs: 100, pingTimeoutMs: 2_000 });
  for (let pings = 0; pings < 5; pings += 1) {
    const [frame] = (await once(client, 'data')) as [Buffer];
    assert.deepEqual([...frame], [0x81, 1, 0x32]);
    client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x33]));
  }
  assert.equal(engineClients(), 1);
});

test('a client that does not answer a ping is closed', async (t) => {
  const { client, engineClients } = await openWebSocket(t, { pingIntervalMs: 100, pingTimeoutMs: 100 });
  client.resume();
  await eventually(() => assert.equal(engineClients(), 0));
});

interface Heartbeat {
  pingIntervalMs: number;
  pingTimeoutMs?: number;
  cors?: { origin: string } | undefined;
}

async function openWebSocket(
  t: TestContext,
  { pingIntervalMs, pingTimeoutMs = 60_000, cors }: Heartbeat,
): Promise<{ request: WeakRef<IncomingMessage>; client: Socket; engineClients: () => number }> {
  const engine = createEngine({ name: 'test', pingIntervalMs, pingTimeoutMs, maxFrameBytes: 1_000, cors });
  const { server, port } = await serveEngine(t, engine);
  let seen: WeakRef<IncomingMessage> | undefined;
  server.on('upgrade', (request) => {
    seen = new WeakRef(request);
  });
  engine.on('connection', (transport) => {
    transport.request = null; // as the gate does
  });
  const { client, head } = await upgradeTcp(port);
  if (head.length === 0) await once(client, 'data'); // the packet that opens the session
  return { request: seen as WeakRef<IncomingMessage>, client, engineClients: () => engine.clientsCount };
}
