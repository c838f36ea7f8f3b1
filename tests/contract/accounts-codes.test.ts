import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { LoginData } from '@parley/protocol';
import { newAccount, PASSWORD, refreshWith, loginOf } from '../support/accounts.ts';
import { connect } from '../support/client.ts';
import { cookiesOf } from '../support/cookies.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways, type TestGateway } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 6: POST /auth/code and /auth/code/verify.

const gateways = await startGateways({ after }, 2, { AUTH_CODE_ECHO: 'true', TRUSTED_PROXIES: '127.0.0.1' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

async function codeFor(username: string, gateway: TestGateway = here): Promise<string> {
  const { code } = await callOk(gateway, 'authCode', { body: { username } });
  assert.match(code ?? '', /^[0-9]{6}$/);
  return code ?? '';
}

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
const verify = (username: string, code: string, more: object = {}) => ({ body: { username, code }, ...more });
/** A code that is surely another one. */
const wrong = (code: string, by = 1) => String((Number(code) + by) % 1_000_000).padStart(6, '0');

describe('a code', () => {
  test('logs in as a password does, at another gateway, in any case of the username', async () => {
    const { username, userId } = await newAccount(here);
    const code = await codeFor(username.toUpperCase());
    const answer = await call(there, 'authCodeVerify', verify(username, code));
    assert.equal(answer.status, 200);
    const { user, accessToken } = LoginData.parse(answer.json());
    assert.equal(user.id, userId);
    assert.deepEqual(Object.keys(cookiesOf(answer)).sort(), ['parley_access', 'parley_refresh']);
    await callOk(here, 'meGet', { token: accessToken });
    assert.equal((await refreshWith(here, loginOf(answer, username).refresh)).status, 200);
  });

  test('is good once, also for many at once', async () => {
    const { username } = await newAccount(here);
    const code = await codeFor(username);
    const answers = await Promise.all(
      [here, there, here, there].map((gateway) => call(gateway, 'authCodeVerify', verify(username, code))),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers) if (answer.status !== 200) errorOf(answer, 'UNAUTHORIZED');
    await callRefused(there, 'authCodeVerify', 'UNAUTHORIZED', verify(username, code));
  });

  test('is replaced by the next one', async () => {
    const { username } = await newAccount(here);
    const first = await codeFor(username);
    let second = await codeFor(username, there);
    if (second === first) second = await codeFor(username, there);
    await callRefused(here, 'authCodeVerify', 'UNAUTHORIZED', verify(username, first));
    await callOk(here, 'authCodeVerify', verify(username, second));
  });

  test('is good for 10 minutes', async (t) => {
    const { username } = await newAccount(here);
    const before = Date.now();
    const code = await codeFor(username);
    const { db } = lookInto(t, gateways.databaseUrl);
    const row = () => db.selectFrom('login_codes').where('account_key', '=', username).selectAll().executeTakeFirst();
    const lifeMs = ((await row())?.expires_at.getTime() ?? 0) - before;
    assert.ok(Math.abs(lifeMs - 600_000) < 10_000, `it lives ${lifeMs} ms`);
    const past = { expires_at: new Date(Date.now() - 1_000) };
    await db.updateTable('login_codes').set(past).where('account_key', '=', username).execute();
    await callRefused(here, 'authCodeVerify', 'UNAUTHORIZED', verify(username, code));
  });

  test('is good for five attempts, counted over the gateways, also when they come at once', async () => {
    const { username } = await newAccount(here);
    const four = await codeFor(username);
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await callRefused(
        here,
        'authCodeVerify',
        'UNAUTHORIZED',
        verify(username, wrong(four, attempt), from('10.1.0.1')),
      );
    }
    await callOk(there, 'authCodeVerify', verify(username, four, from('10.1.0.2')));

    const five = await codeFor(username);
    await Promise.all(
      [here, there, here, there, here].map((gateway, index) =>
        callRefused(
          gateway,
          'authCodeVerify',
          'UNAUTHORIZED',
          verify(username, wrong(five, index + 1), from('10.1.0.3')),
        ),
      ),
    );
    await callRefused(there, 'authCodeVerify', 'UNAUTHORIZED', verify(username, five, from('10.1.0.4')));
  });

  test('is nobody else’s, and not stored as it is', async (t) => {
    const [ana, ben] = [await newAccount(here), await newAccount(here)];
    const code = await codeFor(ana.username);
    await codeFor(ben.username);
    const { db } = lookInto(t, gateways.databaseUrl);
    const rows = await db.selectFrom('login_codes').selectAll().execute();
    assert.ok(rows.length >= 2);
    for (const row of rows) {
      assert.equal(row.code_hash.length, 32);
      assert.ok(!row.code_hash.toString('latin1').includes(code));
    }
    // The hash belongs to its name: in another row it opens nothing.
    const anas = rows.find(({ account_key }) => account_key === ana.username);
    const hash = { code_hash: anas?.code_hash ?? Buffer.alloc(32) };
    await db.updateTable('login_codes').set(hash).where('account_key', '=', ben.username).execute();
    await callRefused(here, 'authCodeVerify', 'UNAUTHORIZED', verify(ben.username, code));
    await callOk(here, 'authCodeVerify', verify(ana.username, code));
  });

  test('must be six digits', async () => {
    const { username } = await newAccount(here);
    for (const code of ['12345', '1234567', 'abcdef', '12 456', '١٢٣٤٥٦', '']) {
      await callRefused(here, 'authCodeVerify', 'VALIDATION_ERROR', verify(username, code));
    }
    await callRefused(here, 'authCodeVerify', 'VALIDATION_ERROR', { body: { username, code: 123_456 } });
  });
});

describe('nothing is told of who has an account', () => {
  test('an unknown user gets a code that is none', async () => {
    const answer = await call(here, 'authCode', { body: { username: 'nobody-at-all' } });
    const { username } = await newAccount(here);
    const known = await call(here, 'authCode', { body: { username } });
    assert.deepEqual([answer.status, known.status], [200, 200]);
    const bodies = [answer, known].map((one) => Object.entries(one.json() as object));
    for (const [[name, value] = ['', ''], ...more] of bodies) {
      assert.equal(name, 'code');
      assert.match(String(value), /^[0-9]{6}$/);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(Object.keys(answer.headers), Object.keys(known.headers));
    const { code } = answer.json() as { code: string };
    const refused = await call(here, 'authCodeVerify', verify('nobody-at-all', code));
    errorOf(refused, 'UNAUTHORIZED');
    assert.equal(refused.text, (await call(here, 'authCodeVerify', verify(username, wrong('000000')))).text);
    assert.equal(refused.headers['set-cookie'], undefined);
  });

  test('a user of an application can’t log in by a code', async (t) => {
    await connect(t, here, 'app-user');
    await callRefused(here, 'authCodeVerify', 'UNAUTHORIZED', verify('app-user', await codeFor('app-user')));
  });

  test('ten codes in ten minutes are the most, for a known and an unknown name alike', async () => {
    const { username } = await newAccount(here);
    for (const name of [username, 'nobody-more']) {
      let last = '';
      for (let request = 0; request < 10; request += 1) last = await codeFor(name, request % 2 === 0 ? here : there);
      const refusal = await callRefused(there, 'authCode', 'RATE_LIMITED', { body: { username: name } });
      assert.ok((refusal.retryAfterMs ?? 0) > 9 * 60_000 && (refusal.retryAfterMs ?? 0) <= 600_000);
      if (name === username) await callOk(here, 'authCodeVerify', verify(name, last));
    }
  });
});

describe('codes and passwords share the lock-out', () => {
  test('ten wrong codes lock the pair of account and address for both', async () => {
    const { username } = await newAccount(here);
    for (let failure = 0; failure < 10; failure += 1) {
      const code = failure % 5 === 0 ? await codeFor(username) : '000000';
      const guess = failure % 5 === 0 ? wrong(code) : code;
      await callRefused(failure % 2 === 0 ? here : there, 'authCodeVerify', 'UNAUTHORIZED', {
        ...verify(username, guess),
        ...from('10.2.0.1'),
      });
    }
    const code = await codeFor(username);
    const locked = await callRefused(there, 'authCodeVerify', 'RATE_LIMITED', verify(username, code, from('10.2.0.1')));
    assert.ok((locked.retryAfterMs ?? 0) > 14 * 60_000);
    await callRefused(here, 'authLogin', 'RATE_LIMITED', {
      body: { username, password: PASSWORD },
      ...from('10.2.0.1'),
    });
    await callOk(here, 'authCodeVerify', verify(username, code, from('10.2.0.2')));
  });

  test('ten wrong passwords lock codes as well', async () => {
    const { username } = await newAccount(here);
    for (let failure = 0; failure < 10; failure += 1) {
      await callRefused(here, 'authLogin', 'UNAUTHORIZED', {
        body: { username, password: 'wrong horse' },
        ...from('10.2.0.3'),
      });
    }
    const code = await codeFor(username);
    await callRefused(there, 'authCodeVerify', 'RATE_LIMITED', verify(username, code, from('10.2.0.3')));
  });
});

test('a password change makes a code worthless that is on its way', async () => {
  const { username, token: jwt } = await newAccount(here);
  const code = await codeFor(username);
  await callOk(here, 'authPassword', { token: jwt, body: { currentPassword: PASSWORD, newPassword: 'a newer horse' } });
  await callRefused(here, 'authCodeVerify', 'UNAUTHORIZED', verify(username, code));
});

test('without AUTH_CODE_ECHO the answer is {}, for everybody', async () => {
  const gateway = await gateways.start({ AUTH_CODE_ECHO: '' });
  const { username } = await newAccount(gateway);
  for (const name of [username, 'nobody-either']) {
    const answer = await call(gateway, 'authCode', { body: { username: name } });
    assert.deepEqual([answer.status, answer.text], [200, '{}']);
  }
  await callRefused(gateway, 'authCode', 'VALIDATION_ERROR', { body: { username: '' } });
  await callRefused(gateway, 'authCode', 'VALIDATION_ERROR', { body: {} });
  await callOk(gateway, 'authCode', { body: { username }, token: await token('somebody') });
  await gateway.stop();
});
