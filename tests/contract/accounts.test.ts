import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { LoginData } from '@parley/protocol';
import { connect } from '../support/client.ts';
import { cookiesOf } from '../support/cookies.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf, type CallOptions } from '../support/http.ts';
import { kinds } from '../support/transport.ts';

// Contract, section 6: accounts made here.

const gateways = await startGateways({ after }, 2, { TRUSTED_PROXIES: '127.0.0.1' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
const password = 'correct horse battery';

describe('POST /auth/register', () => {
  test('answers 201 with the user, a token and when it expires', async () => {
    const before = Date.now();
    const answer = await call(here, 'authRegister', { body: { username: 'Ana_1', password, name: 'Ana' } });
    assert.equal(answer.status, 201);
    const { user, accessToken, expiresAt } = LoginData.parse(answer.json());
    assert.equal(user.name, 'Ana');
    const lifeMs = Date.parse(expiresAt) - before;
    assert.ok(lifeMs > 14 * 60_000 && lifeMs <= 15 * 60_000 + 5_000, `the token lives ${lifeMs} ms`);
    const [, payload = ''] = accessToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; exp: number };
    assert.equal(claims.sub, user.id);
    assert.ok(Math.abs(claims.exp * 1_000 - Date.parse(expiresAt)) < 1_000);
    assert.equal((await callOk(there, 'meGet', { token: accessToken })).user.id, user.id);
    assert.ok(!answer.text.includes('argon2') && !answer.text.includes(password));
  });

  test('the name is the username by default', async () => {
    const { user } = await callOk(here, 'authRegister', { body: { username: 'ben-2', password } });
    assert.equal(user.name, 'ben-2');
  });

  test('usernames are unique without regard to case, also when two want one at once', async () => {
    await callOk(here, 'authRegister', { body: { username: 'Cid', password } });
    await callRefused(there, 'authRegister', 'CONFLICT', { body: { username: 'cID', password } });
    const race = await Promise.all(
      [here, there].map((gateway, index) =>
        call(gateway, 'authRegister', { body: { username: index === 0 ? 'racer' : 'RACER', password } }),
      ),
    );
    assert.deepEqual(race.map(({ status }) => status).sort(), [201, 409]);
    for (const answer of race) if (answer.status === 409) errorOf(answer, 'CONFLICT');
  });

  for (const [name, body, path] of [
    ['a username of 2', { username: 'ab', password }, 'username'],
    ['a username of 21', { username: 'a'.repeat(21), password }, 'username'],
    ['a username with a space', { username: 'a b c', password }, 'username'],
    ['a username with an umlaut', { username: 'jörg', password }, 'username'],
    ['a username that is a number', { username: 12345, password }, 'username'],
    ['no username', { password }, 'username'],
    ['a password of 7', { username: 'dan', password: '1234567' }, 'password'],
    ['a password of 201', { username: 'dan', password: 'x'.repeat(201) }, 'password'],
    ['no password', { username: 'dan' }, 'password'],
  ] as const) {
    test(`${name} is refused`, async () => {
      const { details } = await callRefused(here, 'authRegister', 'VALIDATION_ERROR', { body });
      assert.deepEqual(Array.isArray(details) && details.map((issue) => issue.path), [path]);
    });
  }

  test('the bounds themselves are good', async () => {
    for (const username of ['abc', 'a'.repeat(20), '-_-']) {
      await callOk(here, 'authRegister', { body: { username, password: 'x'.repeat(8) } });
    }
    const longest = 'ä'.repeat(200);
    await callOk(here, 'authRegister', { body: { username: 'longest', password: longest } });
    await callOk(there, 'authLogin', { body: { username: 'longest', password: longest } });
    await callRefused(there, 'authLogin', 'UNAUTHORIZED', {
      body: { username: 'longest', password: `${longest.slice(1)}x` },
    });
  });

  test('passwords are stored as argon2id hashes, refresh tokens not at all', async (t) => {
    const secret = 'the password of eve';
    const answer = await call(here, 'authRegister', { body: { username: 'eve_5', password: secret } });
    const refresh = cookiesOf(answer)['parley_refresh']?.value ?? '';
    assert.ok(refresh.length >= 32);
    const { db } = lookInto(t, gateways.databaseUrl);
    const stored = {
      users: await db.selectFrom('users').selectAll().execute(),
      sessions: await db.selectFrom('sessions').selectAll().execute(),
      tokens: await db.selectFrom('refresh_tokens').selectAll().execute(),
    };
    const eve = stored.users.find(({ username }) => username === 'eve_5');
    assert.match(eve?.password_hash ?? '', /^\$argon2id\$/);
    const everything = JSON.stringify(stored);
    assert.ok(!everything.includes(secret) && !everything.includes(refresh));
  });
});

describe('POST /auth/login', async () => {
  const account = await callOk(here, 'authRegister', { body: { username: 'Login', password } });

  test('answers 200 at the other gateway, in any case of the username', async () => {
    for (const username of ['Login', 'login', 'LOGIN']) {
      const { user, accessToken } = await callOk(there, 'authLogin', { body: { username, password } });
      assert.equal(user.id, account.user.id);
      await callOk(here, 'meGet', { token: accessToken });
    }
  });

  test('unknown user and wrong password answer alike', async () => {
    const wrong: CallOptions[] = [
      { body: { username: 'Login', password: 'wrong horse' } },
      { body: { username: 'nobody', password: 'wrong horse' } },
      { body: { username: 'no such name at all!', password: 'x' } },
      { body: { username: 'Login', password: password.toUpperCase() } },
      { body: { username: 'Login', password: `${password} ` } },
    ];
    const answers = await Promise.all(wrong.map((options) => call(here, 'authLogin', options)));
    for (const answer of answers) {
      errorOf(answer, 'UNAUTHORIZED');
      assert.equal(answer.text, answers[0]?.text);
      assert.equal(answer.headers['set-cookie'], undefined);
      const names = (headers: object) => Object.keys(headers).filter((name) => name !== 'content-length');
      assert.deepEqual(names(answer.headers), names(answers[0]?.headers ?? {}));
    }
  });

  test('a user who was made by an application’s token can not log in', async (t) => {
    await connect(t, here, 'appuser');
    for (const username of ['appuser', account.user.id]) {
      await callRefused(here, 'authLogin', 'UNAUTHORIZED', { body: { username, password: 'x'.repeat(8) } });
    }
  });

  test('ten failures lock the pair of account and address, for the right password too, and nobody else', async () => {
    for (const username of ['locked', 'unlocked']) await callOk(here, 'authRegister', { body: { username, password } });
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const bad = { body: { username: 'locked', password: 'wrong horse' } };
    for (let failure = 0; failure < 10; failure += 1) {
      const gateway = failure % 2 === 0 ? here : there;
      await callRefused(gateway, 'authLogin', 'UNAUTHORIZED', { ...bad, ...from('203.0.113.7') });
    }
    const good = { body: { username: 'LOCKED', password } };
    const refusal = await callRefused(there, 'authLogin', 'RATE_LIMITED', { ...good, ...from('203.0.113.7') });
    assert.ok((refusal.retryAfterMs ?? 0) > 0 && (refusal.retryAfterMs ?? 0) <= 15 * 60_000);
    await callOk(there, 'authLogin', { ...good, ...from('203.0.113.8') });
    await callOk(there, 'authLogin', { body: { username: 'unlocked', password }, ...from('203.0.113.7') });
  });
});

describe('cookies', () => {
  for (const [id, username] of [
    ['authRegister', 'cookies'],
    ['authLogin', 'cookies'],
  ] as const) {
    test(`${id} sets both, HttpOnly and SameSite=Lax`, async () => {
      const cookies = cookiesOf(await call(here, id, { body: { username, password } }));
      assert.deepEqual(Object.keys(cookies).sort(), ['parley_access', 'parley_refresh']);
      const { parley_access: access, parley_refresh: refresh } = cookies;
      const shared = { httponly: true, samesite: 'Lax' } as const;
      assert.deepEqual(access?.attributes, { ...shared, path: '/', 'max-age': '900' });
      assert.deepEqual(refresh?.attributes, { ...shared, path: '/api/auth', 'max-age': String(30 * 86_400) });
    });
  }

  test('they are Secure when the client came over TLS', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const body = { username: 'secure', password };
    const cookies = cookiesOf(await call(here, 'authRegister', { body, headers }));
    assert.equal(cookies['parley_access']?.attributes['secure'], true);
    assert.equal(cookies['parley_refresh']?.attributes['secure'], true);
  });

  test('the access cookie is the token of the body, and is good for routes and sockets', async (t) => {
    const answer = await call(here, 'authRegister', { body: { username: 'crumbs', password } });
    const { accessToken, user } = LoginData.parse(answer.json());
    const value = cookiesOf(answer)['parley_access']?.value;
    assert.equal(value, accessToken);
    const headers = { cookie: `parley_access=${value}` };
    assert.equal((await callOk(there, 'meGet', { headers })).user.id, user.id);
    for (const kind of kinds) {
      const client = await connect(t, there, 'crumbs', { token: null, headers, transports: [kind] });
      assert.equal(client.all('session:ready')[0]?.user.id, user.id);
    }
  });

  test('the refresh token is no access token', async () => {
    const refresh = cookiesOf(await call(here, 'authLogin', { body: { username: 'crumbs', password } }));
    const value = refresh['parley_refresh']?.value ?? '';
    await callRefused(here, 'meGet', 'UNAUTHORIZED', { token: value });
    await callRefused(here, 'meGet', 'UNAUTHORIZED', { headers: { cookie: `parley_refresh=${value}` } });
  });
});

test('GET /me and PATCH /me need a good token', async () => {
  await callRefused(here, 'meGet', 'UNAUTHORIZED');
  await callRefused(here, 'mePatch', 'UNAUTHORIZED', { body: { name: 'X' } });
  await callRefused(here, 'meGet', 'UNAUTHORIZED', { headers: { authorization: 'Basic YTpi' } });
});

test('one user’s PATCH /me refuses what others could not bear', async () => {
  const { accessToken: token } = await callOk(here, 'authRegister', { body: { username: 'patches', password } });
  for (const body of [
    { name: '' },
    { name: 'a\nb' },
    { name: null },
    { avatarUrl: 'javascript:alert(1)' },
    { avatarUrl: 'data:text/html,x' },
    { statusText: 'x'.repeat(201) },
    { statusText: 'a\u0000' },
  ]) {
    await callRefused(here, 'mePatch', 'VALIDATION_ERROR', { token, body });
  }
  const { user } = await callOk(here, 'mePatch', { token, body: { id: 'other', role: 'admin', name: ' Pat ' } });
  assert.equal(user.name, 'Pat');
  assert.notEqual(user.id, 'other');
});
