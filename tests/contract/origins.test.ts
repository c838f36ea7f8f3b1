import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf, http, type HttpAnswer } from '../support/http.ts';
import { token } from '../support/tokens.ts';
import { handshake, kinds } from '../support/transport.ts';

// Contract, section 1: the Origin header; section 6: cookies that change something.

const gateways = await startGateways({ after }, 1);
const closed = gatewayAt(gateways, 0);
const listing = await gateways.start({ ALLOWED_ORIGINS: 'https://chat.example, http://localhost:5173' });
const open = await gateways.start({ ALLOWED_ORIGINS: '*' });
const proxied = await gateways.start({ TRUSTED_PROXIES: 'loopback' });

const host = (gateway: typeof closed) => `${gateway.host}:${gateway.port}`;

for (const kind of kinds) {
  describe(`over ${kind}`, () => {
    const opened = kind === 'websocket' ? 101 : 200;
    const lets = async (gateway: typeof closed, headers: Record<string, string>) => {
      assert.equal((await handshake(kind, gateway, headers)).status, opened, JSON.stringify(headers));
    };
    const stops = async (gateway: typeof closed, headers: Record<string, string>) => {
      errorOf(await handshake(kind, gateway, headers), 'FORBIDDEN');
    };

    test('no Origin is no browser, and is let in', async () => {
      await lets(closed, {});
      await lets(listing, {});
    });

    test('a foreign Origin is 403, with a good token as well', async () => {
      for (const origin of ['https://evil.example', 'null', 'http://chat.example', 'https://chat.example.evil.com']) {
        await stops(closed, { origin });
        await stops(listing, { origin });
        await stops(listing, { origin, authorization: `Bearer ${await token('ana')}` });
      }
    });

    test('a listed Origin is let in, and only by those who list it', async () => {
      await lets(listing, { origin: 'https://chat.example' });
      await lets(listing, { origin: 'http://localhost:5173' });
      await stops(listing, { origin: 'http://localhost:5174' });
      await stops(closed, { origin: 'https://chat.example' });
    });

    test('* lets all in', async () => {
      await lets(open, { origin: 'https://evil.example' });
      await lets(open, { origin: 'null' });
    });

    test('the own origin is always allowed: scheme and Host', async () => {
      await lets(closed, { origin: `http://${host(closed)}` });
      await lets(listing, { origin: `http://${host(listing)}` });
      await lets(closed, { host: 'chat.test', origin: 'http://chat.test' });
      await stops(closed, { host: 'chat.test', origin: 'http://chat.test:8080' });
      await stops(closed, { host: 'chat.test', origin: 'https://chat.test' });
    });

    test('X-Forwarded-Proto counts from a trusted proxy only', async () => {
      const tls = { host: 'chat.test', origin: 'https://chat.test', 'x-forwarded-proto': 'https' };
      await lets(proxied, tls);
      await stops(closed, tls);
      await stops(proxied, { ...tls, origin: 'http://chat.test' });
      await stops(proxied, { ...tls, 'x-forwarded-proto': 'http' });
    });

    test('X-Forwarded-Host is nobody’s own origin', async () => {
      const headers = { host: 'chat.test', origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' };
      await stops(closed, headers);
      await stops(proxied, { ...headers, 'x-forwarded-proto': 'https' });
    });
  });
}

describe('REST with the cookie', () => {
  test('what changes something needs an own or allowed Origin', async () => {
    const cookie = `parley_access=${await token('ana', { name: 'Ana' })}`;
    const rename = (headers: Record<string, string>) => ({ headers: { cookie, ...headers }, body: { name: 'Anna' } });
    await callRefused(listing, 'mePatch', 'FORBIDDEN', rename({}));
    for (const origin of ['https://evil.example', 'null', 'https://chat.example.evil.com']) {
      await callRefused(listing, 'mePatch', 'FORBIDDEN', rename({ origin }));
      await callRefused(listing, 'roomsPost', 'FORBIDDEN', { headers: { cookie, origin }, body: { name: 'Forged' } });
    }
    const { user } = await callOk(listing, 'meGet', { headers: { cookie } });
    assert.equal(user.name, 'Ana', 'something was changed all the same');
    await callOk(listing, 'mePatch', rename({ origin: 'https://chat.example' }));
    await callOk(listing, 'mePatch', rename({ origin: `http://${host(listing)}` }));
  });

  test('reading needs none', async () => {
    await callOk(closed, 'meGet', { headers: { cookie: `parley_access=${await token('ana')}` } });
  });

  test('a Bearer token needs none, since no browser sends it by itself', async () => {
    const options = { token: await token('ana'), body: { statusText: 'Hello' } };
    await callOk(closed, 'mePatch', options);
    await callOk(closed, 'mePatch', { ...options, headers: { cookie: 'parley_access=bad' } });
  });

  test('answers let no foreign page read them', async () => {
    const headers = { origin: 'https://evil.example' };
    const answer = await call(listing, 'meGet', { token: await token('ana'), headers });
    const allowed = answer.headers['access-control-allow-origin'];
    assert.ok(allowed !== '*' && allowed !== 'https://evil.example', `allows ${allowed}`);
    const refused = await handshake('polling', listing, headers);
    assert.notEqual(refused.headers['access-control-allow-origin'], 'https://evil.example');
  });
});

describe('a page of an allowed origin may read the answers', () => {
  const origin = 'https://chat.example';
  const allows = (answer: HttpAnswer) => {
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
  };

  test('of REST, errors too', async () => {
    allows(await call(listing, 'meGet', { token: await token('ana'), headers: { origin } }));
    const refused = await call(listing, 'meGet', { headers: { origin } });
    errorOf(refused, 'UNAUTHORIZED');
    allows(refused);
  });

  test('of a preflight', async () => {
    for (const method of ['POST', 'PATCH', 'DELETE']) {
      const headers = {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
      };
      const answer = await http(listing, '/api/me', { method: 'OPTIONS', headers });
      assert.ok(answer.status === 200 || answer.status === 204);
      allows(answer);
      assert.ok(String(answer.headers['access-control-allow-methods']).includes(method));
      assert.match(String(answer.headers['access-control-allow-headers']), /authorization/i);
    }
  });

  test('of long-polling, a refusal too', async () => {
    allows(await handshake('polling', listing, { origin }));
    const refused = await handshake('polling', listing, { origin, authorization: 'Bearer bad' });
    errorOf(refused, 'UNAUTHORIZED');
    allows(refused);
  });
});
