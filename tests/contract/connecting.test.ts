import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ConnectError } from '@parley/protocol';
import { within } from '@parley/test-support';
import { connect, connectRefused } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { errorOf } from '../support/http.ts';
import { RawPolling, SEPARATOR } from '../support/raw-polling.ts';
import { hmacKey, inSeconds, token } from '../support/tokens.ts';
import { handshake, kinds, openTransport, sidOf } from '../support/transport.ts';

// Contract, section 1: the token, and every row of the table that is about it.

const gateways = await startGateways({ after }, 2, { CONNECT_TIMEOUT_MS: '400' });
const gateway = gatewayAt(gateways, 0);
const other = gatewayAt(gateways, 1);
const strict = await gateways.start({ REQUIRE_UPGRADE_AUTH: 'true' });

const good = await token('ana');
const expired = await token('ana', { exp: inSeconds(-5) });
const forged = await token('ana', {}, hmacKey('another secret that is long enough for it'));
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const cookie = (value: string) => ({ cookie: `theme=dark; parley_access=${value}; lang=en` });

test('a CONNECT that came in time counts, however late a busy gateway reads it', async (t) => {
  const transport = await openTransport(t, 'websocket', gateway);
  transport.send(`40${JSON.stringify({ token: good })}`);
  // The gateway runs in this process, so nothing is read meanwhile, and the time-out is due before anything else is.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  await transport.packet('42["session:ready"');
});

for (const kind of kinds) {
  describe(`over ${kind}`, () => {
    const opened = kind === 'websocket' ? 101 : 200;

    describe('a bad credential with the HTTP request is 401 before the upgrade', () => {
      for (const [name, headers, code] of [
        ['a forged Bearer', bearer(forged), 'UNAUTHORIZED'],
        ['no JWT at all', bearer('hello'), 'UNAUTHORIZED'],
        ['an expired Bearer', bearer(expired), 'TOKEN_EXPIRED'],
        ['a forged cookie', cookie(forged), 'UNAUTHORIZED'],
        ['an expired cookie', cookie(expired), 'TOKEN_EXPIRED'],
        ['a bad Bearer beside a good cookie', { ...bearer(forged), ...cookie(good) }, 'UNAUTHORIZED'],
      ] as const) {
        test(name, async () => {
          errorOf(await handshake(kind, gateway, headers), code);
          errorOf(await handshake(kind, strict, headers), code);
        });
      }
    });

    test('a good credential with the HTTP request opens', async () => {
      for (const headers of [bearer(good), cookie(good), { ...bearer(good), ...cookie(forged) }]) {
        assert.equal((await handshake(kind, gateway, headers)).status, opened);
        assert.equal((await handshake(kind, strict, headers)).status, opened);
      }
    });

    test('no credential is 401 with REQUIRE_UPGRADE_AUTH, and opens without it', async () => {
      errorOf(await handshake(kind, strict), 'UNAUTHORIZED');
      assert.equal((await handshake(kind, gateway)).status, opened);
    });

    test('a transport without a valid CONNECT is closed after CONNECT_TIMEOUT_MS, one with it stays', async (t) => {
      const silent = await openTransport(t, kind, gateway);
      const refused = await openTransport(t, kind, gateway);
      refused.send(`40${JSON.stringify({ token: forged })}`);
      const elsewhere = await openTransport(t, kind, gateway);
      elsewhere.send(`40/elsewhere,${JSON.stringify({ token: good })}`);
      const connected = await openTransport(t, kind, gateway);
      connected.send(`40${JSON.stringify({ token: good })}`);
      await connected.packet('42["session:ready"');
      await within(Promise.all([silent.closed, refused.closed, elsewhere.closed]), 'the end of the three');
      connected.send('421["room:list",{}]');
      assert.match(await connected.packet('431'), /"ok":true/);
    });

    describe('CONNECT with a bad, missing or expired token is CONNECT_ERROR', () => {
      for (const [name, auth, code] of [
        ['no auth', undefined, 'UNAUTHORIZED'],
        ['no token', {}, 'UNAUTHORIZED'],
        ['an empty token', { token: '' }, 'UNAUTHORIZED'],
        ['a number', { token: 7 }, 'UNAUTHORIZED'],
        ['no JWT', { token: 'hello' }, 'UNAUTHORIZED'],
        ['a forged one', { token: forged }, 'UNAUTHORIZED'],
        ['an expired one', { token: expired }, 'TOKEN_EXPIRED'],
      ] as const) {
        test(name, async (t) => {
          const transport = await openTransport(t, kind, gateway);
          transport.send(auth === undefined ? '40' : `40${JSON.stringify(auth)}`);
          const error = JSON.parse((await transport.packet('44')).slice(2)) as { message: string; data: unknown };
          assert.equal(error.message, code);
          assert.equal(ConnectError.parse(error.data).code, code);
        });
      }
    });

    test('a good credential of the HTTP request serves the CONNECT', async (t) => {
      for (const headers of [bearer(good), cookie(good)]) {
        const client = await connect(t, strict, 'ana', { token: null, headers, transports: [kind] });
        assert.equal(client.all('session:ready')[0]?.user.id, 'ana');
      }
    });

    test('the token is the first of auth.token, Bearer and cookie', async (t) => {
      const [ben, cid] = [await token('ben'), await token('cid')];
      const who = async (options: { token: string | null; headers: Record<string, string> }) => {
        const client = await connect(t, gateway, 'whoever', { ...options, transports: [kind] });
        return client.all('session:ready')[0]?.user.id;
      };
      assert.equal(await who({ token: good, headers: { ...bearer(ben), ...cookie(cid) } }), 'ana');
      assert.equal(await who({ token: null, headers: { ...bearer(ben), ...cookie(cid) } }), 'ben');
      assert.equal(await who({ token: null, headers: cookie(cid) }), 'cid');
      const refusal = await connectRefused(t, gateway, 'ana', {
        token: forged,
        headers: bearer(ben),
        transports: [kind],
      });
      assert.equal(refusal.message, 'UNAUTHORIZED');
    });

    test('a refused client may CONNECT again on the same transport', async (t) => {
      const transport = await openTransport(t, kind, gateway);
      transport.send('40{"token":"bad"}');
      await transport.packet('44');
      transport.send(`40${JSON.stringify({ token: good })}`);
      await transport.packet('42["session:ready"');
    });
  });
}

test('session ids name the replica, so that requests can be routed without cookies', async () => {
  assert.match(sidOf(await handshake('polling', gateway)), /^g1\../);
  assert.match(sidOf(await handshake('polling', other)), /^g2\../);
});

test('polling answers set no cookie and carry at most 16 packets', async (t) => {
  const answer = await handshake('polling', gateway);
  assert.equal(answer.headers['set-cookie'], undefined);
  const transport = await RawPolling.open(gateway);
  t.after(() => transport.close());
  transport.send(`40${JSON.stringify({ token: good })}`);
  await transport.packet('42["session:ready"');
  // One body with 100 requests, so that their answers are due at once.
  transport.send(Array.from({ length: 100 }, (_, id) => `42${id}["no:such",{}]`).join(SEPARATOR));
  await transport.packet('4399');
  const sizes = transport.answerSizes;
  assert.ok(Math.max(...sizes) <= 16, `answers had ${sizes.join(', ')} packets`);
  assert.ok(Math.max(...sizes) > 1, 'nothing was gathered: the test shows nothing');
});

test('a client upgrades from polling to WebSocket without cookies', async (t) => {
  const client = await connect(t, gateway, 'ana', { transports: ['polling', 'websocket'] });
  const { engine } = client.socket.io;
  if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
  await client.ok('room:list', {});
  assert.equal(engine.transport.name, 'websocket');
});
