import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { eventually } from '@parley/test-support';
import { connect, connectRefused } from '../support/client.ts';
import { startGateways } from '../support/gateways.ts';
import { errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';
import { handshake, kinds, openTransport, openUnless, type Kind } from '../support/transport.ts';

// Contract, section 1: how many may be connected.

const gateways = await startGateways({ after }, 0);
const bearer = async (userId: string) => ({ authorization: `Bearer ${await token(userId)}` });

for (const kind of kinds) {
  describe(`MAX_CONNECTIONS over ${kind}`, () => {
    test('a full gateway is 503 with Retry-After, until somebody leaves', async (t) => {
      const gateway = await gateways.start({ MAX_CONNECTIONS: '2' });
      const headers = await bearer('ana');
      const first = await openTransport(t, kind, gateway, headers);
      await openTransport(t, kind, gateway);
      for (const more of [headers, {}]) {
        const answer = await handshake(kind, gateway, more);
        errorOf(answer, 'UNAVAILABLE');
        assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
      }
      first.close();
      await eventually(() => openTransport(t, kind, gateway, headers));
    });

    test('a crowd that comes at once does not slip past it', async (t) => {
      const gateway = await gateways.start({ MAX_CONNECTIONS: '3' });
      const headers = await bearer('ana');
      const crowd = Array.from({ length: 20 }, () => openUnless(503, t, { kind, gateway, headers }));
      const opened = (await Promise.all(crowd)).filter((transport) => transport !== undefined);
      assert.equal(opened.length, 3);
    });
  });

  describe(`MAX_PENDING_PER_ADDRESS over ${kind}`, () => {
    const open = (t: TestContext, gateway: { url: string }, headers = {}) => openTransport(t, kind, gateway, headers);

    test('more transports without a CONNECT are 429, until one connects or leaves', async (t) => {
      const gateway = await gateways.start({ MAX_PENDING_PER_ADDRESS: '2' });
      const [first, second] = [await open(t, gateway), await open(t, gateway)];
      const refusal = errorOf(await handshake(kind, gateway), 'RATE_LIMITED');
      assert.ok((refusal.retryAfterMs ?? 0) > 0);
      first.send(`40${JSON.stringify({ token: await token('ana') })}`);
      await first.packet('42["session:ready"');
      await open(t, gateway);
      errorOf(await handshake(kind, gateway), 'RATE_LIMITED');
      second.close();
      await eventually(() => open(t, gateway));
    });

    test('transports that bring a credential do not count', async (t) => {
      const gateway = await gateways.start({ MAX_PENDING_PER_ADDRESS: '1' });
      for (const userId of ['ana', 'ben', 'cid']) await open(t, gateway, await bearer(userId));
      await open(t, gateway);
      errorOf(await handshake(kind, gateway), 'RATE_LIMITED');
      await open(t, gateway, await bearer('dan'));
    });

    test('a refused CONNECT leaves the transport pending', async (t) => {
      const gateway = await gateways.start({ MAX_PENDING_PER_ADDRESS: '1' });
      const pending = await open(t, gateway);
      pending.send('40{"token":"bad"}');
      await pending.packet('44');
      errorOf(await handshake(kind, gateway), 'RATE_LIMITED');
    });

    test('a crowd that comes at once does not slip past it', async (t) => {
      const gateway = await gateways.start({ MAX_PENDING_PER_ADDRESS: '3' });
      const crowd = Array.from({ length: 20 }, () => openUnless(429, t, { kind, gateway }));
      const opened = (await Promise.all(crowd)).filter((transport) => transport !== undefined);
      assert.equal(opened.length, 3);
    });

    test('the address is the client’s, which only a trusted proxy can tell', async (t) => {
      const proxied = await gateways.start({ MAX_PENDING_PER_ADDRESS: '1', TRUSTED_PROXIES: 'loopback' });
      const direct = await gateways.start({ MAX_PENDING_PER_ADDRESS: '1' });
      const from = (address: string) => ({ 'x-forwarded-for': address });
      await open(t, proxied, from('203.0.113.1'));
      await open(t, proxied, from('203.0.113.2'));
      errorOf(await handshake(kind, proxied, from('203.0.113.2')), 'RATE_LIMITED');
      errorOf(await handshake(kind, proxied, from('198.51.100.9, 203.0.113.2')), 'RATE_LIMITED');
      await open(t, direct, from('203.0.113.1'));
      errorOf(await handshake(kind, direct, from('203.0.113.2')), 'RATE_LIMITED');
    });

    test('off lets any number in', async (t) => {
      const gateway = await gateways.start({ MAX_PENDING_PER_ADDRESS: 'off' });
      for (let count = 0; count < 5; count += 1) await open(t, gateway);
    });
  });
}

describe('MAX_CONNECTIONS_PER_USER over two gateways', async () => {
  const here = await gateways.start({ MAX_CONNECTIONS_PER_USER: '2' });
  const there = await gateways.start({ MAX_CONNECTIONS_PER_USER: '2' });
  const refused = { message: 'RATE_LIMITED', code: 'RATE_LIMITED' };

  const isRefused = async (t: TestContext, gateway: typeof here, userId: string, transports: Kind[]) => {
    const { message, data } = await connectRefused(t, gateway, userId, { transports });
    const { code, ...rest } = data as { code: string; retryAfterMs?: number };
    assert.deepEqual({ message, code }, refused);
    assert.ok(!('retryAfterMs' in rest));
  };

  for (const kind of kinds) {
    test(`the newest is refused over ${kind}, others of the user stay, other users are not concerned`, async (t) => {
      const userId = `ana-${kind}`;
      const transports = [kind];
      const first = await connect(t, here, userId, { transports });
      const second = await connect(t, there, userId, { transports });
      await isRefused(t, here, userId, transports);
      await isRefused(t, there, userId, transports);
      await connect(t, here, `ben-${kind}`, { transports });
      await first.ok('room:list', {});
      await second.ok('room:list', {});
      first.close();
      await eventually(() => connect(t, there, userId, { transports }));
      await isRefused(t, here, userId, transports);
    });
  }

  test('a crowd that comes at once does not slip past it', async (t) => {
    const tries = [here, there, here, there, here, there].map((gateway) => connect(t, gateway, 'crowd'));
    const outcomes = await Promise.allSettled(tries);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
  });
});
