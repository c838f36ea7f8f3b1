import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { signDemoToken } from './demo-token.ts';

const NOW = Date.parse('2026-01-02T03:04:05.678Z');
const secret = 'a secret of at least thirty-two bytes';

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

test('the demo token is signed with the secret and good for a day', () => {
  const token = signDemoToken({ secret }, NOW);
  const [header = '', claims = '', signature] = token.split('.');
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: 'HS256', typ: 'JWT' });
  const issuedAt = 1_767_323_045;
  assert.deepEqual(claimsOf(token), { sub: 'demo', name: 'Demo', iat: issuedAt, exp: issuedAt + 86_400 });
  assert.equal(signature, createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url'));
});

test('the demo token has the audience and the issuer that the gateways ask for', () => {
  const claims = claimsOf(signDemoToken({ secret, audience: 'chat', issuer: 'us' }, NOW)) as object;
  assert.deepEqual(
    { ...claims, iat: 0, exp: 0 },
    { sub: 'demo', name: 'Demo', iat: 0, exp: 0, aud: 'chat', iss: 'us' },
  );
});
