import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually, within } from '@parley/test-support';
import { connect } from '../support/client.ts';
import { openDoor } from '../support/door.ts';
import { startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, http } from '../support/http.ts';
import { SOCKETS } from '../support/packets.ts';
import { token } from '../support/tokens.ts';
import { handshake, kinds, openTransport, sidOf } from '../support/transport.ts';

// Contract, section 1: SERVER_DRAIN; section 6: readiness.

const gateways = await startGateways({ after }, 0);

for (const kind of kinds) {
  describe(`over ${kind}`, () => {
    test('session:ended with reconnect, then the transport closes without a DISCONNECT', async (t) => {
      const gateway = await gateways.start();
      const transport = await openTransport(t, kind, gateway);
      transport.send(`40${JSON.stringify({ token: await token('ana') })}`);
      await transport.packet('42["session:ready"');
      const stopped = gateway.stop();
      const packet = await transport.packet('42["session:ended"');
      const { code, reconnect, afterMs } = (JSON.parse(packet.slice(2)) as [string, Record<string, unknown>])[1];
      assert.deepEqual({ code, reconnect }, { code: 'SERVER_DRAIN', reconnect: true });
      assert.ok(afterMs === undefined || (typeof afterMs === 'number' && afterMs >= 0));
      await within(transport.closed, 'the end of the transport');
      await stopped;
      assert.ok(!transport.packets.includes('41'), 'a DISCONNECT keeps clients from coming back');
    });

    test('the client comes back by itself, to another gateway', async (t) => {
      const [leaving, staying] = [await gateways.start(), await gateways.start()];
      const door = await openDoor(t, leaving.port);
      door.leadSessionsOf(leaving.name, leaving.port);
      const client = await connect(t, door, 'ben', { transports: [kind], reconnection: true });
      const { room } = await client.ok('room:create', { name: `Drain ${kind}` });
      const before = await client.send(room.id, 'before');

      door.leadTo(staying.port);
      const stopped = leaving.stop();
      await eventually(() => assert.equal(client.all('session:ready').length, 2));
      assert.equal(client.all('session:ended')[0]?.code, 'SERVER_DRAIN');
      assert.notEqual(client.disconnects[0], 'io server disconnect');
      await stopped;
      const joined = await client.ok('room:join', { roomId: room.id });
      assert.deepEqual(joined.messages, [before]);
      assert.equal((await client.send(room.id, 'after')).seq, 2);
    });
  });
}

test('a polling client between two polls hears why with its next one', async (t) => {
  const gateway = await gateways.start({ DRAIN_MS: '100' });
  const path = `${SOCKETS}&transport=polling`;
  const session = `${path}&sid=${sidOf(await http(gateway, path))}`;
  const poll = async () => (await http(gateway, session)).text;
  await http(gateway, session, { method: 'POST', body: `40${JSON.stringify({ token: await token('ana') })}` });
  let told = '';
  while (!told.includes('session:ready')) told += await poll();

  const stopped = gateway.stop();
  // A whole session elsewhere: the gateway had its chance to hang up.
  const witness = await connect(t, await gateways.start(), 'witness');
  await witness.ok('room:list', {});
  assert.match(await poll(), /SERVER_DRAIN/);
  await poll().catch(() => {}); // takes the close packet, if there is anybody left to give it
  await stopped;
});

test('sockets are told and closed one after another, and those that wait their turn are served', async (t) => {
  const gateway = await gateways.start({ DRAIN_MS: '2000' });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const clients = await Promise.all(names.map((name) => connect(t, gateway, name)));
  const stopped = gateway.stop();
  const left = () => clients.filter((client) => client.disconnects.length > 0).length;
  for (let gone = 1; gone < clients.length; gone += 1) {
    await eventually(() => assert.ok(left() >= gone));
    const last = clients.findLast((client) => client.disconnects.length === 0);
    if (gone < 3) await last?.ok('room:list', {});
    if (gone < 3) assert.ok(left() < clients.length, 'all were closed at once');
  }
  await stopped;
  for (const client of clients) assert.equal(client.all('session:ended')[0]?.code, 'SERVER_DRAIN');
});

test('a draining gateway is not ready, but alive', async (t) => {
  const gateway = await gateways.start({ DRAIN_MS: '1000' });
  const forTheProxy = async () => (await fetch(`${gateway.metricsUrl}/health/ready`)).status;
  await callOk(gateway, 'healthReady');
  assert.equal(await forTheProxy(), 200);
  await connect(t, gateway, 'cid');
  await connect(t, gateway, 'dan');
  const stopped = gateway.stop();
  await callRefused(gateway, 'healthReady', 'UNAVAILABLE');
  assert.equal(await forTheProxy(), 503);
  await callOk(gateway, 'healthLive');
  await stopped;
});

test('a gateway that has stopped leaves nothing behind and takes nobody in', async () => {
  const gateway = await gateways.start();
  assert.equal((await handshake('polling', gateway)).status, 200);
  await Promise.all([gateway.stop(), gateway.stop()]);
  await assert.rejects(call(gateway, 'healthLive'), { code: 'ECONNREFUSED' });
});
