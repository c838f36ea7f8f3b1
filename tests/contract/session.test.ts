import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually, within } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { hmacKey, inSeconds, token } from '../support/tokens.ts';
import { kinds, openTransport } from '../support/transport.ts';

// Contract, section 1: the life of a session, from session:ready to session:ended.

const gateways = await startGateways({ after }, 2, {
  MAX_MESSAGE_LENGTH: '77',
  CATCHUP_MAX: '33',
  HISTORY_MAX: '44',
  MAX_FRAME_BYTES: '55555',
});
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

test('session:ready is the first event and says who, when, and what the limits are', async (t) => {
  const before = Date.now();
  const client = await connect(t, here, 'ana', { token: await token('ana', { name: 'Ana' }) });
  assert.equal(client.heard[0]?.event, 'session:ready');
  const [ready] = client.all('session:ready');
  assert.ok(ready);
  assert.deepEqual(ready.user, { id: 'ana', name: 'Ana', status: 'online' });
  assert.deepEqual(ready.limits, { maxMessageLength: 77, historyMax: 44, catchupMax: 33, maxFrameBytes: 55_555 });
  assert.ok(Date.parse(ready.serverTime) >= before && Date.parse(ready.serverTime) <= Date.now());
  assert.ok(ready.connectionId.length > 0 && ready.version.length > 0);
  const second = await connect(t, there, 'ana');
  assert.notEqual(second.all('session:ready')[0]?.connectionId, ready.connectionId);
  await client.ok('room:list', {});
  assert.equal(client.all('session:expiring').length, 0, 'the token has an hour to go');
});

describe('at exp', { concurrency: true }, () => {
  for (const kind of kinds) {
    test(`over ${kind}: session:expiring, and at exp session:ended, then DISCONNECT`, async (t) => {
      const exp = inSeconds(2);
      const transport = await openTransport(t, kind, here);
      transport.send(`40${JSON.stringify({ token: await token('ben', { exp }) })}`);
      const expiring = await transport.packet('42["session:expiring"');
      const { inMs } = (JSON.parse(expiring.slice(2)) as [string, { inMs: number }])[1];
      assert.ok(inMs > 0 && inMs <= 2_000, `expires in ${inMs} ms`);
      await transport.packet('42["session:ended"');
      assert.ok(Date.now() >= exp * 1_000, 'it ended before exp');
      await within(transport.closed, 'the end of the transport');
      const told = transport.packets.filter((packet) => packet.startsWith('4')).slice(-2);
      const [ended, disconnect] = told;
      const { code, message, reconnect } = (JSON.parse(ended?.slice(2) ?? '') as [string, Record<string, unknown>])[1];
      assert.deepEqual({ code, reconnect }, { code: 'TOKEN_EXPIRED', reconnect: false });
      assert.equal(typeof message, 'string');
      assert.equal(disconnect, '41');
    });
  }

  test('a client whose token expired does not come back by itself', async (t) => {
    const jwt = await token('cid', { exp: inSeconds(2) });
    const client = await connect(t, here, 'cid', { token: jwt, reconnection: true });
    assert.equal(await client.disconnected(), 'io server disconnect');
    assert.equal(client.heard.at(-1)?.event, 'session:ended');
    assert.equal(client.socket.active, false, 'it is about to reconnect');
  });
});

describe('session:renew', { concurrency: true }, () => {
  const untilExpiryOf = async (client: Client) => assert.equal(await client.disconnected(), 'io server disconnect');

  test('extends the session past the first exp', async (t) => {
    const short = inSeconds(2);
    const renewed = await connect(t, here, 'dan', { token: await token('dan', { exp: short }) });
    const exp = inSeconds(600);
    const { expiresAt } = await renewed.ok('session:renew', { token: await token('dan', { exp }) });
    assert.equal(expiresAt, new Date(exp * 1_000).toISOString());
    // Another session of the same moment shows when the old token would have ended.
    await untilExpiryOf(await connect(t, here, 'eve', { token: await token('eve', { exp: short + 1 }) }));
    await renewed.ok('room:list', {});
    assert.equal(renewed.all('session:ended').length, 0);
  });

  test('is not for ever: the new token expires as well', async (t) => {
    const client = await connect(t, here, 'fay', { token: await token('fay', { exp: inSeconds(600) }) });
    await client.ok('session:renew', { token: await token('fay', { exp: inSeconds(2) }) });
    const { inMs } = await client.waitFor('session:expiring');
    assert.ok(inMs <= 2_000);
    await untilExpiryOf(client);
    assert.equal(client.all('session:ended')[0]?.code, 'TOKEN_EXPIRED');
  });

  test('with another user’s token is FORBIDDEN and changes nothing', async (t) => {
    const client = await connect(t, here, 'gus', { token: await token('gus', { exp: inSeconds(2) }) });
    await client.refused('session:renew', { token: await token('ana', { exp: inSeconds(600) }) }, 'FORBIDDEN');
    const { room } = await client.ok('room:create', { name: 'Gus' });
    assert.equal(room.createdBy, 'gus');
    await untilExpiryOf(client);
  });

  test('with a bad token is refused, and the session goes on', async (t) => {
    const client = await connect(t, here, 'hal');
    const forged = await token('hal', {}, hmacKey('another secret that is long enough for it'));
    await client.refused('session:renew', { token: forged }, 'UNAUTHORIZED');
    await client.refused('session:renew', { token: 'x' }, 'UNAUTHORIZED');
    await client.refused('session:renew', { token: await token('hal', { exp: inSeconds(-1) }) }, 'TOKEN_EXPIRED');
    await client.refused('session:renew', {}, 'VALIDATION_ERROR');
    await client.ok('room:list', {});
  });
});

describe('echo', () => {
  for (const [echo, hears] of [
    [true, true],
    ['true', true],
    [false, false],
    ['false', false],
    [1, false],
    [undefined, false],
  ] as const) {
    test(`auth.echo ${JSON.stringify(echo)}: the sending socket hears its own message: ${hears}`, async (t) => {
      const sender = await connect(t, here, 'ivy', { auth: { echo, deviceId: 'phone' } });
      const { room } = await sender.ok('room:create', { name: `Echo ${String(echo)}`, kind: 'private' });
      const device = await connect(t, here, 'ivy');
      await device.ok('room:join', { roomId: room.id });
      await sender.send(room.id, 'mine');
      await device.send(room.id, 'marker');
      await sender.waitFor('message:new', ({ content }) => content === 'marker');
      assert.deepEqual(sender.contents(room.id), hears ? ['mine', 'marker'] : ['marker']);
      await eventually(() => assert.deepEqual(device.contents(room.id), ['mine']));
    });
  }
});
