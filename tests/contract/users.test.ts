import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { eventually } from '@parley/test-support';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 1: an application's users exist from their first token on, and bear the name that it says.

const gateways = await startGateways({ after }, 2);
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

test('an unknown sub becomes a user at its first request', async () => {
  const { user } = await callOk(here, 'meGet', { token: await token('u1', { name: 'Uma' }) });
  assert.deepEqual(user, { id: 'u1', name: 'Uma', status: 'offline' });
});

test('an unknown sub becomes a user at its first connection', async (t) => {
  const client = await connect(t, here, 'u2', { token: await token('u2', { name: 'Ugo' }) });
  assert.deepEqual(client.all('session:ready')[0]?.user, { id: 'u2', name: 'Ugo', status: 'online' });
  const { user } = await callOk(there, 'meGet', { token: await token('u2') });
  assert.equal(user.name, 'Ugo');
});

test('the same unknown sub at once at two gateways, on sockets and routes, is one user', async (t) => {
  const jwt = await token('u3', { name: 'Una' });
  const sockets = [here, there, here, there].map((gateway) => connect(t, gateway, 'u3', { token: jwt }));
  const requests = [here, there, here, there].map((gateway) => callOk(gateway, 'meGet', { token: jwt }));
  for (const client of await Promise.all(sockets)) assert.equal(client.all('session:ready')[0]?.user.name, 'Una');
  for (const { user } of await Promise.all(requests)) assert.equal(user.name, 'Una');
});

test('a token without a name gives the user some name, and a later name renames it', async () => {
  const { user } = await callOk(here, 'meGet', { token: await token('u4') });
  assert.ok(user.name.length > 0);
  const renamed = await callOk(here, 'meGet', { token: await token('u4', { name: 'Ulf' }) });
  assert.equal(renamed.user.name, 'Ulf');
  const kept = await callOk(here, 'meGet', { token: await token('u4') });
  assert.equal(kept.user.name, 'Ulf');
});

test('a name that nobody could show does not shut the user out', async () => {
  for (const name of ['', '   ', 'x'.repeat(5_000), 'a\u0000b', 7, null, { first: 'U' }]) {
    const { user } = await callOk(here, 'meGet', { token: await token('u5', { name }) });
    assert.ok(user.name.length > 0 && user.name.length <= 100);
  }
});

test('a new name claim renames, and others see the new name at the other gateway', async (t) => {
  const ada = await connect(t, here, 'ada', { token: await token('ada', { name: 'Ada' }) });
  const { room } = await ada.ok('room:create', { name: 'Names' });
  const eve = await connect(t, there, 'eve');
  await eve.ok('room:join', { roomId: room.id });

  const lady = await connect(t, there, 'ada', { token: await token('ada', { name: 'Lady Ada' }) });
  assert.equal(lady.all('session:ready')[0]?.user.name, 'Lady Ada');
  const message = await lady.send(room.id, 'hello');
  assert.equal(message.sender.name, 'Lady Ada');
  const heard = await eve.waitFor('message:new', ({ seq }) => seq === message.seq);
  assert.equal(heard.sender.name, 'Lady Ada');
  const { members } = await eve.ok('room:members', { roomId: room.id });
  assert.equal(members.find(({ id }) => id === 'ada')?.name, 'Lady Ada');
});

test('whoever types is shown under the new name, wherever it was changed and wherever the socket is', async (t) => {
  const typist = await connect(t, here, 'typist', { token: await token('typist', { name: 'First' }) });
  const { room } = await typist.ok('room:create', { name: 'Names that type' });
  const eve = await connect(t, there, 'eve');
  await eve.ok('room:join', { roomId: room.id });
  const isShownAs = (name: string) =>
    eventually(async () => {
      await typist.ok('typing:start', { roomId: room.id });
      await typist.ok('typing:stop', { roomId: room.id });
      assert.equal(eve.all('typing:start').at(-1)?.user.name, name);
    });
  await isShownAs('First');
  await callOk(there, 'mePatch', { token: await token('typist', { name: 'First' }), body: { name: 'Chosen' } });
  await isShownAs('Chosen');
  await callOk(there, 'meGet', { token: await token('typist', { name: 'Claimed' }) });
  await isShownAs('Claimed');
});

test('session:renew with a new name renames', async (t) => {
  const client = await connect(t, here, 'u6', { token: await token('u6', { name: 'Old' }) });
  await client.ok('session:renew', { token: await token('u6', { name: 'New' }) });
  const { room } = await client.ok('room:create', { name: `Names ${randomUUID().slice(0, 8)}` });
  const message = await client.send(room.id, 'hello');
  assert.equal(message.sender.name, 'New');
});

test('between PATCH /me and the name claim the latest wins', async () => {
  const first = await token('u7', { name: 'First' });
  const name = async (jwt: string) => (await callOk(there, 'meGet', { token: jwt })).user.name;
  assert.equal(await name(first), 'First');
  await callOk(here, 'mePatch', { token: first, body: { name: 'Chosen' } });
  assert.equal(await name(first), 'Chosen', 'the claim is no new one');
  assert.equal(await name(await token('u7', { name: 'Second' })), 'Second');
});

test('a user with a password here is not renamed by a claim', async () => {
  const body = { username: 'with_password', password: 'correct horse', name: 'Mine' };
  const { user } = await callOk(here, 'authRegister', { body });
  const seen = await callOk(there, 'meGet', { token: await token(user.id, { name: 'Not mine' }) });
  assert.equal(seen.user.name, 'Mine');
});

test('PATCH /me changes what is given, and an empty string removes an optional text', async () => {
  const jwt = await token('u8', { name: 'Udo' });
  const avatarUrl = 'https://example.org/udo.png';
  const changed = await callOk(here, 'mePatch', { token: jwt, body: { avatarUrl, statusText: 'Busy' } });
  assert.deepEqual(changed.user, { id: 'u8', name: 'Udo', avatarUrl, statusText: 'Busy', status: 'offline' });
  assert.deepEqual((await callOk(there, 'mePatch', { token: jwt, body: {} })).user, changed.user);
  const emptied = await callOk(there, 'mePatch', { token: jwt, body: { avatarUrl: '', statusText: '' } });
  assert.deepEqual(emptied.user, { id: 'u8', name: 'Udo', status: 'offline' });
});

test('role admin has no effect in rooms', async (t) => {
  const owner = await connect(t, here, 'owner');
  const { room } = await owner.ok('room:create', { name: 'Closed', kind: 'private' });
  const operator = await connect(t, there, 'operator', { token: await token('operator', { role: 'admin' }) });
  await operator.refused('room:join', { roomId: room.id }, 'NOT_FOUND');
  await operator.refused('message:history', { roomId: room.id }, 'NOT_FOUND');
});
