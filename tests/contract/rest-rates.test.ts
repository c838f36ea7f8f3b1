import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { EndpointId } from '@parley/protocol';
import { startGateways, type TestGateway } from '../support/gateways.ts';
import { call, callOk, errorOf, type HttpAnswer } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 8: RATE_AUTH, by address; and RATE_REST, our own, by user. Windows are an hour long.

const gateways = await startGateways({ after }, 0, { TRUSTED_PROXIES: '127.0.0.1' });
const password = 'correct horse battery';
let prefixes = 0;

function start(count: number, env: Record<string, string>): Promise<TestGateway[]> {
  const prefix = `rest${(prefixes += 1)}`;
  return Promise.all(Array.from({ length: count }, () => gateways.start({ REDIS_PREFIX: prefix, ...env })));
}

const from = (address: string) => ({ 'x-forwarded-for': address });

function login(gateway: TestGateway, address: string, id: EndpointId = 'authLogin'): Promise<HttpAnswer> {
  const body = { username: 'nobody', password, code: '123456' };
  return call(gateway, id, { body, headers: from(address) });
}

function assertRefused(answer: HttpAnswer): void {
  const { retryAfterMs = 0 } = errorOf(answer, 'RATE_LIMITED');
  assert.ok(retryAfterMs > 3_500_000 && retryAfterMs <= 3_600_000, `it shall wait ${retryAfterMs} ms`);
  assert.equal(answer.headers['retry-after'], String(Math.ceil(retryAfterMs / 1_000)));
}

describe('RATE_AUTH', () => {
  test('counts attempts of an address over all replicas, whatever comes of them', async () => {
    const [here, there] = (await start(2, { RATE_AUTH: '3/1h' })) as [TestGateway, TestGateway];
    const register = { body: { username: 'ana', password }, headers: from('9.0.0.1') };
    assert.equal((await call(here, 'authRegister', register)).status, 201);
    errorOf(await login(there, '9.0.0.1'), 'UNAUTHORIZED');
    errorOf(await call(here, 'authLogin', { body: {}, headers: from('9.0.0.1') }), 'VALIDATION_ERROR');
    for (const gateway of [here, there]) {
      for (const id of ['authLogin', 'authCode', 'authCodeVerify'] as const) {
        assertRefused(await login(gateway, '9.0.0.1', id));
      }
      assertRefused(await call(gateway, 'authRegister', register));
    }
    errorOf(await login(there, '9.0.0.2'), 'UNAUTHORIZED');
    await callOk(here, 'meGet', { token: await token('ana'), headers: from('9.0.0.1') });
    await call(here, 'authRefresh', { headers: from('9.0.0.1') }).then(({ status }) => assert.notEqual(status, 429));
  });

  test('the address is the one that a trusted proxy tells, not the one that a client makes up', async () => {
    const [gateway] = (await start(1, { RATE_AUTH: '2/1h', TRUSTED_PROXIES: '' })) as [TestGateway];
    errorOf(await login(gateway, '9.0.1.1'), 'UNAUTHORIZED');
    errorOf(await login(gateway, '9.0.1.2'), 'UNAUTHORIZED');
    assertRefused(await login(gateway, '9.0.1.3'));
  });

  test('a customer’s network of IPv6 is one address, an IPv4 address is the same in either form', async () => {
    const [gateway] = (await start(1, { RATE_AUTH: '2/1h' })) as [TestGateway];
    errorOf(await login(gateway, '2001:db8:1:2::1'), 'UNAUTHORIZED');
    errorOf(await login(gateway, '2001:db8:1:2:ffff::2'), 'UNAUTHORIZED');
    assertRefused(await login(gateway, '2001:db8:1:2:3:4:5:6'));
    errorOf(await login(gateway, '2001:db8:1:3::1'), 'UNAUTHORIZED');
    errorOf(await login(gateway, '9.0.2.1'), 'UNAUTHORIZED');
    errorOf(await login(gateway, '::ffff:9.0.2.1'), 'UNAUTHORIZED');
    assertRefused(await login(gateway, '9.0.2.1'));
  });

  test('off', async () => {
    const [gateway] = (await start(1, { RATE_AUTH: 'off', RATE_REST: 'off' })) as [TestGateway];
    for (let index = 0; index < 5; index += 1) errorOf(await login(gateway, '9.0.3.1'), 'UNAUTHORIZED');
  });
});

describe('RATE_REST', () => {
  test('counts a user over all replicas and addresses', async () => {
    const [here, there] = (await start(2, { RATE_REST: '3/1h' })) as [TestGateway, TestGateway];
    const ana = { token: await token('ana') };
    await callOk(here, 'meGet', { ...ana, headers: from('9.1.0.1') });
    await callOk(there, 'roomsGet', { ...ana, headers: from('9.1.0.2') });
    errorOf(await call(there, 'roomGet', { ...ana, params: { id: 'no-uuid' } }), 'VALIDATION_ERROR');
    for (const gateway of [here, there]) assertRefused(await call(gateway, 'meGet', ana));
    await callOk(here, 'meGet', { token: await token('ben'), headers: from('9.1.0.1') });
    await callOk(here, 'healthReady');
    assert.equal((await call(here, 'docsOpenapi')).status, 200);
  });

  test('counts an address for whom no credential stands', async () => {
    const [gateway] = (await start(1, { RATE_REST: '3/1h' })) as [TestGateway];
    const headers = from('9.1.1.1');
    errorOf(await call(gateway, 'meGet', { headers }), 'UNAUTHORIZED');
    errorOf(await call(gateway, 'meGet', { token: 'forged', headers }), 'UNAUTHORIZED');
    errorOf(await login(gateway, '9.1.1.1'), 'UNAUTHORIZED');
    assertRefused(await call(gateway, 'meGet', { token: 'forged', headers }));
    assertRefused(await login(gateway, '9.1.1.1'));
    await callOk(gateway, 'meGet', { token: await token('ana'), headers });
  });
});
