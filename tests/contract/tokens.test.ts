import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startProcess } from '@parley/test-support';
import { connect, connectRefused } from '../support/client.ts';
import { SECRET } from '../support/environment.ts';
import { gatewayAt, startGateways, type TestGateway } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { createIssuer, forgedToken, hmacKey, inSeconds, token } from '../support/tokens.ts';

// Contract, section 1: which JWTs are good. Each is tried at CONNECT and at a route, which have to agree.

const gateways = await startGateways({ after }, 1);
const bySecret = gatewayAt(gateways, 0);
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const;

async function accepts(gateway: TestGateway, jwt: string, userId: string): Promise<void> {
  const { user } = await callOk(gateway, 'meGet', { token: jwt });
  assert.equal(user.id, userId);
  const client = await connect({ after }, gateway, userId, { token: jwt });
  assert.equal(client.all('session:ready')[0]?.user.id, userId);
  client.close();
}

async function refuses(gateway: TestGateway, jwt: string, code: 'UNAUTHORIZED' | 'TOKEN_EXPIRED' = 'UNAUTHORIZED') {
  await callRefused(gateway, 'meGet', code, { token: jwt });
  const refusal = await connectRefused({ after }, gateway, 'nobody', { token: jwt });
  assert.equal(refusal.message, code);
}

describe('with JWT_SECRET alone', () => {
  test('HS256 is good', async () => {
    await accepts(bySecret, await token('ana'), 'ana');
  });

  test('claims: sub of 1 to 128 of [A-Za-z0-9_.:@-]', async () => {
    const longest = 'x'.repeat(128);
    for (const sub of ['a', '0', 'Ana_1.b:c@d-e', longest]) await accepts(bySecret, await token(sub), sub);
    for (const sub of ['', 'a b', 'änna', 'a/b', `${longest}x`, 'a\u0000', 'ana\n']) {
      await refuses(bySecret, await token(sub));
    }
  });

  test('claims: without sub, or with one that is no string', async () => {
    await refuses(bySecret, await token(undefined));
    for (const sub of [7, null, ['ana'], { id: 'ana' }]) await refuses(bySecret, await token(undefined, { sub }));
  });

  test('claims: without exp, with one that is no number, and with one that is past', async () => {
    await refuses(bySecret, await token('ana', { exp: undefined }));
    await refuses(bySecret, await token('ana', { exp: '9999999999' }));
    await refuses(bySecret, await token('ana', { exp: inSeconds(-1) }), 'TOKEN_EXPIRED');
    await refuses(bySecret, await token('ana', { exp: 0 }), 'TOKEN_EXPIRED');
  });

  test('claims: a session that is none of ours', async () => {
    for (const session of ['x', '', 7, null, '0192d3a0-0000-7000-8000-000000000000']) {
      await refuses(bySecret, await token('ana', { parley_session: session }));
    }
  });

  test('a token that is not valid yet', async () => {
    await refuses(bySecret, await token('ana', { nbf: inSeconds(600) }));
  });

  test('an exp in the year 300000 is no reason to fail', async () => {
    const forEver = await token('ana', { exp: 10_000_000_000_000 });
    await accepts(bySecret, forEver, 'ana');
    const client = await connect({ after }, bySecret, 'ana');
    const ack = await client.request('session:renew', { token: forEver });
    client.close();
    assert.ok(ack.ok || ack.error.code !== 'INTERNAL', JSON.stringify(ack));
  });

  test('another key', async () => {
    await refuses(bySecret, await token('ana', {}, hmacKey('a secret of somebody else, long enough')));
  });

  test('other algorithms of the same secret', async () => {
    await refuses(bySecret, await token('ana', {}, hmacKey(SECRET.repeat(2), 'HS512')));
    await refuses(bySecret, await token('ana', {}, hmacKey(SECRET, 'HS384')));
  });

  test('alg none, in any case, with and without a signature', async () => {
    const claims = { sub: 'ana', exp: inSeconds(600) };
    const [, , signature] = (await token('ana')).split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      await refuses(bySecret, forgedToken({ alg, typ: 'JWT' }, claims));
      await refuses(bySecret, forgedToken({ alg, typ: 'JWT' }, claims, signature));
    }
    await refuses(bySecret, forgedToken({ typ: 'JWT' }, claims, signature));
  });

  test('a changed payload under an old signature', async () => {
    const [head = '', , signature = ''] = (await token('ana')).split('.');
    const payload = Buffer.from(JSON.stringify({ sub: 'ben', exp: inSeconds(600) })).toString('base64url');
    await refuses(bySecret, `${head}.${payload}.${signature}`);
  });

  test('asymmetric tokens, since nobody gave it a key for them', async () => {
    for (const alg of algorithms) await refuses(bySecret, await token('ana', {}, await createIssuer(alg)));
  });

  test('a key that the token itself brings', async () => {
    const issuer = await createIssuer('ES256');
    const claims = { sub: 'ana', exp: inSeconds(600) };
    const [, , signature = ''] = (await token('ana', {}, issuer)).split('.');
    await refuses(bySecret, forgedToken({ alg: 'ES256', jwk: issuer.publicJwk }, claims, signature));
  });
});

for (const alg of algorithms) {
  describe(`with JWT_PUBLIC_KEY for ${alg}`, async () => {
    const issuer = await createIssuer(alg);
    const byKey = await gateways.start({ JWT_PUBLIC_KEY: issuer.publicPem });

    test('the application signs its own tokens, and HS256 stays valid beside them', async () => {
      await accepts(byKey, await token('app:ana', {}, issuer), 'app:ana');
      await accepts(byKey, await token('ana'), 'ana');
    });

    test('another key of the same kind, and of other kinds', async () => {
      for (const other of algorithms) await refuses(byKey, await token('ana', {}, await createIssuer(other)));
    });

    test('the public key as the secret of an HMAC', async () => {
      for (const text of [issuer.publicPem, issuer.publicPem.trim(), JSON.stringify(issuer.publicJwk)]) {
        await refuses(byKey, await token('ana', {}, hmacKey(text)));
      }
    });

    test('alg none', async () => {
      await refuses(byKey, forgedToken({ alg: 'none' }, { sub: 'ana', exp: inSeconds(600) }));
    });

    test('the claims are checked as well', async () => {
      await refuses(byKey, await token('ana', { exp: undefined }, issuer));
      await refuses(byKey, await token('ana', { exp: inSeconds(-1) }, issuer), 'TOKEN_EXPIRED');
      await refuses(byKey, await token('a b', {}, issuer));
    });
  });
}

describe('with JWKS_URL', async () => {
  const issuers = await Promise.all(algorithms.map((alg) => createIssuer(alg)));
  const published = issuers.map((issuer) => issuer.publicJwk);
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: published }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const byJwks = await gateways.start({ JWKS_URL: `http://127.0.0.1:${port}/jwks.json` });

  test('every key of the set is good, and HS256 beside them', async () => {
    for (const issuer of issuers) await accepts(byJwks, await token('app:ana', {}, issuer), 'app:ana');
    await accepts(byJwks, await token('ana'), 'ana');
  });

  test('a key that is not in the set, under a kid that is and under its own', async () => {
    for (const { kid } of issuers) await refuses(byJwks, await token('ana', {}, await createIssuer('RS256', kid)));
    await refuses(byJwks, await token('ana', {}, await createIssuer('ES256', 'unknown')));
  });

  test('a public key of the set as the secret of an HMAC', async () => {
    for (const { publicPem, publicJwk } of issuers) {
      await refuses(byJwks, await token('ana', {}, hmacKey(publicPem)));
      await refuses(byJwks, await token('ana', {}, hmacKey(JSON.stringify(publicJwk))));
    }
  });
});

describe('with JWT_AUDIENCE and JWT_ISSUER', async () => {
  const picky = await gateways.start({ JWT_AUDIENCE: 'parley', JWT_ISSUER: 'https://app.example' });
  const right = { aud: 'parley', iss: 'https://app.example' };

  test('both have to be there and to be right', async () => {
    await accepts(picky, await token('ana', right), 'ana');
    await accepts(picky, await token('ana', { ...right, aud: ['other', 'parley'] }), 'ana');
    await refuses(picky, await token('ana'));
    await refuses(picky, await token('ana', { aud: 'parley' }));
    await refuses(picky, await token('ana', { iss: 'https://app.example' }));
    await refuses(picky, await token('ana', { ...right, aud: 'other' }));
    await refuses(picky, await token('ana', { ...right, iss: 'https://evil.example' }));
  });

  test('tokens of accounts made here pass them', async () => {
    const body = { username: 'picky_ana', password: 'correct horse' };
    const { accessToken, user } = await callOk(picky, 'authRegister', { body });
    await accepts(picky, accessToken, user.id);
  });
});

test('a process with a JWT_SECRET under 32 bytes refuses to start, and does not print it', async (t) => {
  const main = join(import.meta.dirname, '../../services/gateway/src/main.ts');
  for (const secret of ['short-secret-of-31-bytes-xxxxxx', '']) {
    const env = { ...gateways.environment, JWT_SECRET: secret };
    const gateway = await startProcess(process.execPath, [main], { owner: t, env });
    const { code } = await gateway.exited;
    assert.notEqual(code, 0);
    assert.match(gateway.output, /JWT_SECRET/);
    assert.ok(secret === '' || !gateway.output.includes(secret));
  }
});
