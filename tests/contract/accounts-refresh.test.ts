import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { LoginData } from '@parley/protocol';
import { loginOf, logIn, newAccount, refreshWith } from '../support/accounts.ts';
import { connect } from '../support/client.ts';
import { cookiesOf } from '../support/cookies.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';

// Contract, section 6: POST /auth/refresh.

const gateways = await startGateways({ after }, 2, { ALLOWED_ORIGINS: 'https://app.example' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

describe('a rotation', () => {
  test('answers as login does, with a new pair, at any gateway', async () => {
    const first = await newAccount(here);
    const answer = await refreshWith(there, first.refresh);
    assert.equal(answer.status, 200);
    const { user, expiresAt } = LoginData.parse(answer.json());
    assert.equal(user.id, first.userId);
    assert.ok(Date.parse(expiresAt) > Date.now());
    const cookies = cookiesOf(answer);
    assert.deepEqual(cookies['parley_refresh']?.attributes, {
      httponly: true,
      samesite: 'Lax',
      path: '/api/auth',
      'max-age': String(30 * 86_400),
    });
    const second = loginOf(answer, first.username);
    assert.equal(cookies['parley_access']?.value, second.token);
    assert.notEqual(second.refresh, first.refresh);
    await callOk(here, 'meGet', { token: second.token });
    await callOk(here, 'meGet', { token: first.token }); // until it expires
  });

  test('goes on and on', async () => {
    const { username, refresh } = await newAccount(here);
    let next = refresh;
    for (let round = 0; round < 5; round += 1) {
      next = loginOf(await refreshWith(round % 2 === 0 ? here : there, next), username).refresh;
    }
  });

  test('shows a name that was changed meanwhile', async () => {
    const { token, refresh } = await newAccount(here);
    await callOk(here, 'mePatch', { token, body: { name: 'Somebody Else' } });
    const { user, accessToken } = LoginData.parse((await refreshWith(there, refresh)).json());
    assert.equal(user.name, 'Somebody Else');
    assert.equal((await callOk(here, 'meGet', { token: accessToken })).user.name, 'Somebody Else');
  });
});

describe('a refresh token that comes a second time', () => {
  test('ends the session with all its tokens and sockets, and no other', async (t) => {
    const first = await newAccount(here);
    const other = await logIn(here, first.username);
    const second = loginOf(await refreshWith(here, first.refresh), first.username);
    const devices = [
      await connect(t, here, first.userId, { token: first.token }),
      await connect(t, there, first.userId, { token: second.token }),
    ];
    const bystander = await connect(t, there, first.userId, { token: other.token });

    errorOf(await refreshWith(there, first.refresh), 'UNAUTHORIZED');
    for (const device of devices) {
      assert.equal((await device.waitFor('session:ended')).code, 'LOGGED_OUT');
      await device.disconnected();
    }
    errorOf(await refreshWith(here, second.refresh), 'UNAUTHORIZED');
    for (const token of [first.token, second.token]) {
      for (const gateway of [here, there]) await callRefused(gateway, 'meGet', 'UNAUTHORIZED', { token });
    }
    await callOk(there, 'meGet', { token: other.token });
    await refreshWith(there, other.refresh);
    await bystander.ok('room:list', {});
    assert.deepEqual(bystander.all('session:ended'), []);
  });

  test('at the same moment: exactly one wins, and then the session has ended', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { username, refresh } = await newAccount(here);
      const answers = await Promise.all([here, there, here, there].map((gateway) => refreshWith(gateway, refresh)));
      const [winner, ...more] = answers.filter(({ status }) => status === 200);
      assert.ok(winner !== undefined && more.length === 0, answers.map(({ status }) => status).join());
      for (const answer of answers) if (answer !== winner) errorOf(answer, 'UNAUTHORIZED');
      const { token, refresh: next } = loginOf(winner, username);
      await callRefused(there, 'meGet', 'UNAUTHORIZED', { token });
      errorOf(await refreshWith(here, next), 'UNAUTHORIZED');
    }
  });
});

describe('a refresh token that is no good', () => {
  test('unknown, empty, an access token, none at all', async () => {
    const { token } = await newAccount(here);
    for (const bad of ['x', '', token, 'x'.repeat(5_000)]) errorOf(await refreshWith(here, bad), 'UNAUTHORIZED');
    await callRefused(here, 'authRefresh', 'UNAUTHORIZED', { headers: { origin: here.url } });
    await callRefused(here, 'authRefresh', 'UNAUTHORIZED', { token, headers: { origin: here.url } });
  });

  test('of a session that was logged out', async () => {
    const { token, refresh } = await newAccount(here);
    await callOk(here, 'authLogout', { token });
    errorOf(await refreshWith(there, refresh), 'UNAUTHORIZED');
  });

  test('of a session that has run out: TOKEN_EXPIRED, each time', async (t) => {
    const { userId, refresh } = await newAccount(here);
    const { db } = lookInto(t, gateways.databaseUrl);
    const past = { expires_at: new Date(Date.now() - 1_000) };
    await db.updateTable('sessions').set(past).where('user_id', '=', userId).execute();
    errorOf(await refreshWith(here, refresh), 'TOKEN_EXPIRED');
    errorOf(await refreshWith(there, refresh), 'TOKEN_EXPIRED');
  });
});

describe('needs an own or allowed Origin', () => {
  test('none, a foreign one: FORBIDDEN, and nothing is used up', async () => {
    const { refresh } = await newAccount(here);
    const cookie = `parley_refresh=${refresh}`;
    for (const headers of [{ cookie }, { cookie, origin: 'https://evil.example' }, { cookie, origin: 'null' }]) {
      await callRefused(here, 'authRefresh', 'FORBIDDEN', { headers });
    }
    assert.equal((await refreshWith(here, refresh)).status, 200);
  });

  test('an allowed one', async () => {
    const { refresh } = await newAccount(here);
    const headers = { cookie: `parley_refresh=${refresh}`, origin: 'https://app.example' };
    assert.equal((await call(here, 'authRefresh', { headers })).status, 200);
  });
});
