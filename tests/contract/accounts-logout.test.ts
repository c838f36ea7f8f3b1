import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { EndpointId } from '@parley/protocol';
import { eventually } from '@parley/test-support';
import { logIn, newAccount, PASSWORD, refreshWith, type TestLogin } from '../support/accounts.ts';
import { connect, connectRefused, type Client } from '../support/client.ts';
import { cookiesOf } from '../support/cookies.ts';
import { gatewayAt, startGateways, type TestGateway } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { createIssuer, hmacKey, inSeconds, token } from '../support/tokens.ts';
import { kinds } from '../support/transport.ts';

// Contract, section 6: POST /auth/logout, /auth/logout-all, /auth/password; section 1: LOGGED_OUT.

const gateways = await startGateways({ after }, 3);
const [here, there, yonder] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1), gatewayAt(gateways, 2)];
const everywhere = [here, there, yonder];

const changes: [EndpointId, object?][] = [
  ['authLogout'],
  ['authLogoutAll'],
  ['authPassword', { currentPassword: PASSWORD, newPassword: 'another horse' }],
];

async function isOut(client: Client): Promise<void> {
  const ending = await client.waitFor('session:ended');
  assert.deepEqual({ code: ending.code, reconnect: ending.reconnect }, { code: 'LOGGED_OUT', reconnect: false });
  assert.equal(await client.disconnected(), 'io server disconnect');
}

/** Refused at each gateway, by routes and at CONNECT, whichever way it comes. */
async function isRefusedEverywhere(jwt: string): Promise<void> {
  for (const gateway of everywhere) {
    await callRefused(gateway, 'meGet', 'UNAUTHORIZED', { token: jwt });
    const refusal = await connectRefused({ after }, gateway, 'nobody', { token: jwt });
    assert.equal(refusal.message, 'UNAUTHORIZED');
  }
}

async function isStillGood(client: Client, gateway: TestGateway, jwt: string): Promise<void> {
  await callOk(gateway, 'meGet', { token: jwt });
  await client.ok('room:list', {});
  assert.deepEqual(client.all('session:ended'), []);
}

describe('POST /auth/logout', () => {
  test('ends the sockets of that session on every replica, and refuses its tokens; others stay', async (t) => {
    const session = await newAccount(here);
    const other = await logIn(there, session.username);
    const connectWith = ({ userId, token: jwt }: TestLogin, gateway: TestGateway, index = 0) =>
      connect(t, gateway, userId, { token: jwt, transports: [kinds[index % 2] ?? 'websocket'] });
    const ended = await Promise.all(everywhere.map((gateway, index) => connectWith(session, gateway, index)));
    const stays = await connectWith(other, there);

    const answer = await call(here, 'authLogout', { token: session.token });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    await Promise.all(ended.map(isOut));
    await isRefusedEverywhere(session.token);
    errorOf(await refreshWith(there, session.refresh), 'UNAUTHORIZED');
    await isStillGood(stays, yonder, other.token);
    assert.equal((await refreshWith(here, other.refresh)).status, 200);
    await callRefused(here, 'authLogout', 'UNAUTHORIZED', { token: session.token });
  });

  test('ends a socket whose transport came with the token in the HTTP request', async (t) => {
    const { userId, token: jwt } = await newAccount(here);
    const headers = { authorization: `Bearer ${jwt}` };
    const client = await connect(t, there, userId, { token: null, headers });
    await callOk(here, 'authLogout', { token: jwt });
    await isOut(client);
  });

  test('ends a socket that has renewed itself into the session', async (t) => {
    const first = await newAccount(here);
    const second = await logIn(here, first.username);
    const client = await connect(t, there, first.userId, { token: first.token });
    await client.ok('session:renew', { token: second.token });
    await callOk(here, 'authLogout', { token: first.token });
    await isStillGood(client, there, second.token);
    await client.refused('session:renew', { token: first.token }, 'UNAUTHORIZED');
    await callOk(here, 'authLogout', { token: second.token });
    await isOut(client);
  });

  test('of a token that an application signed: that very token and its sockets', async (t) => {
    const [gone, stays] = [await token('app-one', { device: 1 }), await token('app-one', { device: 2 })];
    const sockets = await Promise.all(everywhere.map((gateway) => connect(t, gateway, 'app-one', { token: gone })));
    const other = await connect(t, there, 'app-one', { token: stays });
    await callOk(yonder, 'authLogout', { token: gone });
    await Promise.all(sockets.map(isOut));
    await isRefusedEverywhere(gone);
    await isStillGood(other, here, stays);
  });

  test('that token stays refused under another spelling of its signature', async () => {
    const jwt = await token('app-spelling');
    await callOk(here, 'meGet', { token: jwt });
    await callOk(here, 'authLogout', { token: jwt });
    // The last of 43 characters holds two bits that belong to no byte.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(jwt.at(-1) ?? '');
    for (let bits = 0; bits < 4; bits += 1) {
      const spelled = jwt.slice(0, -1) + alphabet[(last & ~3) | bits];
      await callRefused(there, 'meGet', 'UNAUTHORIZED', { token: spelled });
    }
  });
});

describe('POST /auth/logout-all', () => {
  test('ends all sessions of the user, and nobody else’s', async (t) => {
    const sessions = [await newAccount(here)];
    const [{ username, userId } = { username: '', userId: '' }] = sessions;
    for (const gateway of everywhere) sessions.push(await logIn(gateway, username));
    const stranger = await newAccount(there);
    const strangers = await connect(t, there, stranger.userId, { token: stranger.token });
    const sockets = await Promise.all(
      sessions.map(({ token: jwt }, index) =>
        connect(t, everywhere[index % 3] ?? here, userId, { token: jwt, transports: [kinds[index % 2] ?? 'polling'] }),
      ),
    );
    const answer = await call(there, 'authLogoutAll', { token: sessions[2]?.token ?? '' });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    await Promise.all(sockets.map(isOut));
    for (const { token: jwt, refresh } of sessions) {
      await isRefusedEverywhere(jwt);
      errorOf(await refreshWith(here, refresh), 'UNAUTHORIZED');
    }
    await isStillGood(strangers, here, stranger.token);
  });

  test('one can log in again at once, and is left in peace', async (t) => {
    const { token: old, username, userId } = await newAccount(here);
    await connect(t, there, userId, { token: old });
    await callOk(here, 'authLogoutAll', { token: old });
    const { token: jwt } = await logIn(there, username);
    const client = await connect(t, there, userId, { token: jwt });
    await callRefused(yonder, 'meGet', 'UNAUTHORIZED', { token: old });
    await isStillGood(client, yonder, jwt);
  });

  test('refuses the tokens that an application has signed until then, by their iat', async (t) => {
    const before = await token('app-all', { iat: inSeconds(-60) });
    const after_ = await token('app-all', { iat: inSeconds(60) });
    const nobodys = await token('app-else', { iat: inSeconds(-60) });
    const client = await connect(t, there, 'app-all', { token: before });
    const elses = await connect(t, there, 'app-else', { token: nobodys });
    const asking = await token('app-all', { iat: inSeconds(0) });
    await callOk(here, 'authLogoutAll', { token: asking });
    await isOut(client);
    await isRefusedEverywhere(before);
    await isRefusedEverywhere(asking);
    await callOk(yonder, 'meGet', { token: after_ });
    await isStillGood(elses, here, nobodys);
  });

  test('of tokens without iat: the one that came is refused, all their sockets end, and they may come back', async (t) => {
    const [asking, other] = [await token('app-no-iat', { n: 1 }), await token('app-no-iat', { n: 2 })];
    const client = await connect(t, there, 'app-no-iat', { token: other });
    await callOk(here, 'authLogoutAll', { token: asking });
    await isOut(client);
    await isRefusedEverywhere(asking);
    const again = await connect(t, there, 'app-no-iat', { token: other });
    await isStillGood(again, yonder, other);
  });
});

describe('POST /auth/password', () => {
  test('changes the password and ends all sessions, this one too', async (t) => {
    const session = await newAccount(here);
    const other = await logIn(there, session.username);
    const sockets = [
      await connect(t, yonder, session.userId, { token: session.token }),
      await connect(t, there, session.userId, { token: other.token }),
    ];
    const body = { currentPassword: PASSWORD, newPassword: 'a newer horse' };
    const answer = await call(there, 'authPassword', { token: session.token, body });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    await Promise.all(sockets.map(isOut));
    for (const { token: jwt } of [session, other]) await isRefusedEverywhere(jwt);
    const login = (password: string) => ({ body: { username: session.username, password } });
    await callRefused(here, 'authLogin', 'UNAUTHORIZED', login(PASSWORD));
    await callOk(yonder, 'authLogin', login('a newer horse'));
  });

  test('a wrong current one is FORBIDDEN, changes nothing, and counts to the lock-out', async () => {
    const { token: jwt, username } = await newAccount(here);
    const wrong = { token: jwt, body: { currentPassword: 'wrong horse', newPassword: 'a newer horse' } };
    for (let failure = 0; failure < 10; failure += 1) {
      await callRefused(failure % 2 === 0 ? here : there, 'authPassword', 'FORBIDDEN', wrong);
    }
    const right = { token: jwt, body: { currentPassword: PASSWORD, newPassword: 'a newer horse' } };
    const refusal = await callRefused(yonder, 'authPassword', 'RATE_LIMITED', right);
    assert.ok((refusal.retryAfterMs ?? 0) > 14 * 60_000);
    await callRefused(there, 'authLogin', 'RATE_LIMITED', { body: { username, password: PASSWORD } });
    await callOk(there, 'meGet', { token: jwt });
  });

  test('a new one of 7 or 201 is refused, and a user of an application has none to change', async () => {
    const { token: jwt } = await newAccount(here);
    for (const newPassword of ['1234567', 'x'.repeat(201)]) {
      const body = { currentPassword: PASSWORD, newPassword };
      await callRefused(here, 'authPassword', 'VALIDATION_ERROR', { token: jwt, body });
    }
    const body = { currentPassword: PASSWORD, newPassword: 'a newer horse' };
    await callRefused(here, 'authPassword', 'FORBIDDEN', { token: await token('app-password'), body });
    await callRefused(here, 'authPassword', 'UNAUTHORIZED', { body });
  });

  test('of two changes at once one wins; a login with the old password at that moment does not survive', async () => {
    const { token: jwt, username } = await newAccount(here);
    const change = (newPassword: string, gateway: TestGateway) =>
      call(gateway, 'authPassword', { token: jwt, body: { currentPassword: PASSWORD, newPassword } });
    const login = (gateway: TestGateway) => call(gateway, 'authLogin', { body: { username, password: PASSWORD } });
    const [first, second, ...logins] = await Promise.all([
      change('the first of two', here),
      change('the second of two', there),
      ...[here, there, yonder, here, there, yonder].map(login),
    ]);
    const statuses = [first?.status, second?.status].sort();
    assert.ok(statuses[0] === 204 && [401, 403].includes(statuses[1] ?? 0), statuses.join());
    for (const answer of logins) {
      if (answer.status !== 200) errorOf(answer, 'UNAUTHORIZED');
      else
        await callRefused(yonder, 'meGet', 'UNAUTHORIZED', {
          token: (answer.json() as { accessToken: string }).accessToken,
        });
    }
  });
});

describe('each of the three', () => {
  for (const [id, body] of changes) {
    test(`${id} takes both cookies away, and needs an Origin when a cookie asks`, async () => {
      const { token: jwt } = await newAccount(here);
      const cookie = `parley_access=${jwt}`;
      const options = { ...(body && { body }), headers: { cookie } };
      await callRefused(here, id, 'FORBIDDEN', options);
      await callRefused(here, id, 'FORBIDDEN', { ...options, headers: { cookie, origin: 'https://evil.example' } });
      const answer = await call(here, id, { ...options, headers: { cookie, origin: here.url } });
      assert.equal(answer.status, 204, answer.text);
      const cookies = cookiesOf(answer);
      const ofLogin = { parley_access: '/', parley_refresh: '/api/auth' };
      for (const [name, path] of Object.entries(ofLogin)) {
        const gone = cookies[name];
        assert.equal(gone?.value, '');
        assert.equal(gone.attributes['path'], path);
        assert.ok(Date.parse(String(gone.attributes['expires'])) <= Date.now() || gone.attributes['max-age'] === '0');
      }
      await callRefused(there, 'meGet', 'UNAUTHORIZED', { headers: { cookie } });
    });

    test(`${id} without a token, and with a bad one`, async () => {
      await callRefused(here, id, 'UNAUTHORIZED', { ...(body && { body }) });
      await callRefused(here, id, 'UNAUTHORIZED', { ...(body && { body }), token: 'x.y.z' });
    });
  }

  test('logout works for the other algorithms as well', async (t) => {
    const issuer = await createIssuer('ES256');
    const gateway = await gateways.start({ JWT_PUBLIC_KEY: issuer.publicPem });
    const jwt = await token('es256', {}, issuer);
    const client = await connect(t, gateway, 'es256', { token: jwt });
    await callOk(gateway, 'authLogout', { token: jwt });
    await isOut(client);
    // The same claims by the other key are another token.
    await callOk(here, 'meGet', { token: await token('es256', {}, hmacKey(gateways.environment['JWT_SECRET'] ?? '')) });
    await eventually(() => callRefused(gateway, 'meGet', 'UNAUTHORIZED', { token: jwt }));
    await gateway.stop();
  });
});
