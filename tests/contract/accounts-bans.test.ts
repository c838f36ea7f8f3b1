import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { logIn, newAccount, PASSWORD, refreshWith } from '../support/accounts.ts';
import { connect, connectRefused, type Client } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 6: POST /admin/users/:id/ban; section 1: BANNED.

const gateways = await startGateways({ after }, 3, { AUTH_CODE_ECHO: 'true' });
const [here, there, yonder] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1), gatewayAt(gateways, 2)];
const everywhere = [here, there, yonder];
const operator = await token('operator', { role: 'admin' });

const ban = (id: string, on: boolean) =>
  callOk(here, 'adminUserBan', { token: operator, params: { id }, body: { on } });

async function isBanned(client: Client): Promise<void> {
  const ending = await client.waitFor('session:ended');
  assert.deepEqual({ code: ending.code, reconnect: ending.reconnect }, { code: 'BANNED', reconnect: false });
  assert.equal(await client.disconnected(), 'io server disconnect');
}

async function isRefusedEverywhere(jwt: string): Promise<void> {
  for (const gateway of everywhere) {
    await callRefused(gateway, 'meGet', 'UNAUTHORIZED', { token: jwt });
    assert.equal((await connectRefused({ after }, gateway, 'x', { token: jwt })).message, 'UNAUTHORIZED');
  }
}

describe('a ban', () => {
  test('ends all sockets on every replica and refuses all tokens, of an application too, until it is lifted', async (t) => {
    const [one, two] = [await token('troll', { n: 1 }), await token('troll', { n: 2 })];
    const sockets = await Promise.all([
      ...everywhere.map((gateway) => connect(t, gateway, 'troll', { token: one })),
      connect(t, there, 'troll', { token: two, transports: ['polling'] }),
    ]);
    const bystander = await connect(t, there, 'bystander');
    const answer = await call(here, 'adminUserBan', { token: operator, params: { id: 'troll' }, body: { on: true } });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    await Promise.all(sockets.map(isBanned));
    for (const jwt of [one, two]) await isRefusedEverywhere(jwt);
    await bystander.ok('room:list', {});

    await ban('troll', false);
    for (const gateway of everywhere) await callOk(gateway, 'meGet', { token: one });
    const again = await connect(t, yonder, 'troll', { token: two });
    await again.ok('room:list', {});
    assert.deepEqual(again.all('session:ended'), []);
  });

  test('of an account: no password, code or refresh token lets it in; its sessions stay ended after', async (t) => {
    const account = await newAccount(here);
    const client = await connect(t, yonder, account.userId, { token: account.token });
    const { code = '' } = await callOk(here, 'authCode', { body: { username: account.username } });
    await ban(account.userId, true);
    await isBanned(client);
    await isRefusedEverywhere(account.token);
    const login = { body: { username: account.username, password: PASSWORD } };
    const refused = await call(there, 'authLogin', login);
    errorOf(refused, 'UNAUTHORIZED');
    const wrong = await call(there, 'authLogin', { body: { username: account.username, password: 'wrong horse' } });
    assert.equal(refused.text, wrong.text);
    await callRefused(there, 'authCodeVerify', 'UNAUTHORIZED', { body: { username: account.username, code } });
    errorOf(await refreshWith(there, account.refresh), 'UNAUTHORIZED');

    await ban(account.userId, false);
    await isRefusedEverywhere(account.token);
    errorOf(await refreshWith(there, account.refresh), 'UNAUTHORIZED');
    const back = await logIn(there, account.username);
    await callOk(yonder, 'meGet', { token: back.token });
  });

  test('has ended the sockets of all replicas when it is answered, and can be lifted at once', async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const jwt = await token(`quick-${round}`);
      const sockets = await Promise.all(
        everywhere.map((gateway) => connect(t, gateway, `quick-${round}`, { token: jwt })),
      );
      await ban(`quick-${round}`, true);
      await ban(`quick-${round}`, false);
      await Promise.all(sockets.map(isBanned));
      await callOk(there, 'meGet', { token: jwt });
    }
  });

  test('twice is once, and lifting none is no error; what changed is on record', async (t) => {
    await callOk(here, 'meGet', { token: await token('recorded') });
    for (const on of [false, true, true, false, false]) await ban('recorded', on);
    const { db } = lookInto(t, gateways.databaseUrl);
    const acts = await db
      .selectFrom('audit_log')
      .where('target_id', '=', 'recorded')
      .orderBy('id')
      .selectAll()
      .execute();
    assert.deepEqual(
      acts.map(({ act, actor_id, room_id }) => ({ act, actor_id, room_id })),
      ['user:ban', 'user:unban'].map((act) => ({ act, actor_id: 'operator', room_id: null })),
    );
  });
});

describe('only operators may', () => {
  test('everybody else is FORBIDDEN, whatever they claim but `admin`', async () => {
    await callOk(here, 'meGet', { token: await token('target') });
    const options = { params: { id: 'target' }, body: { on: true } };
    for (const role of [undefined, 'user', 'owner', 'Admin', ['admin'], true]) {
      await callRefused(here, 'adminUserBan', 'FORBIDDEN', { ...options, token: await token('mallory', { role }) });
    }
    await callRefused(here, 'adminUserBan', 'UNAUTHORIZED', options);
    const account = await newAccount(here);
    await callRefused(here, 'adminUserBan', 'FORBIDDEN', { ...options, token: account.token });
    await callOk(here, 'meGet', { token: await token('target') });
  });

  test('an account with the role, too; its token says so after a login', async (t) => {
    const { username, userId } = await newAccount(here);
    const { db } = lookInto(t, gateways.databaseUrl);
    await db.updateTable('users').set({ role: 'admin' }).where('id', '=', userId).execute();
    const { token: jwt } = await logIn(there, username);
    await callOk(here, 'adminUserBan', { token: jwt, params: { id: 'target' }, body: { on: true }, status: 204 });
    await callRefused(here, 'meGet', 'UNAUTHORIZED', { token: await token('target') });
  });

  test('with the cookie, from an own Origin', async () => {
    const headers = { cookie: `parley_access=${operator}` };
    const options = { params: { id: 'target' }, body: { on: false } };
    await callRefused(here, 'adminUserBan', 'FORBIDDEN', { ...options, headers });
    await callOk(here, 'adminUserBan', { ...options, headers: { ...headers, origin: here.url } });
    await callOk(here, 'meGet', { token: await token('target') });
  });
});

test('an unknown id is NOT_FOUND, one that can be none or a body without `on` VALIDATION_ERROR', async () => {
  const call_ = (id: string, body: object) => ({ token: operator, params: { id }, body });
  for (const on of [true, false]) await callRefused(here, 'adminUserBan', 'NOT_FOUND', call_('no-such-user', { on }));
  await callRefused(here, 'adminUserBan', 'VALIDATION_ERROR', call_('a b', { on: true }));
  for (const body of [{}, { on: 'true' }, { on: 1 }, { on: null }]) {
    await callRefused(here, 'adminUserBan', 'VALIDATION_ERROR', call_('target', body));
  }
});
