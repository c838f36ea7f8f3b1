import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import type { OpenDatabase } from '@parley/database';
import { deferred, eventually, type Owner } from '@parley/test-support';
import { newAccount, PASSWORD } from '../support/accounts.ts';
import { connect } from '../support/client.ts';
import { lookInto } from '../support/database.ts';
import { openDoor } from '../support/door.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';
import { token } from '../support/tokens.ts';
import { openTransport } from '../support/transport.ts';

// Contract, section 6: a session that ends takes its sockets along, whatever happens at that moment.

const gateways = await startGateways({ after }, 2, { DATABASE_STATEMENT_TIMEOUT_MS: '30000' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

/** Keeps the row of a user locked, after the given change if there is one, until `release`. */
async function holdUser(t: Owner, userId: string, change?: { password_hash: string }) {
  const held = deferred();
  const released = deferred();
  t.after(async () => released.resolve()); // before the connection is closed, which waits for it
  const { db } = lookInto(t, gateways.databaseUrl);
  const holding = db.transaction().execute(async (trx) => {
    await trx.selectFrom('users').where('id', '=', userId).select('id').forNoKeyUpdate().execute();
    if (change) await trx.updateTable('users').set(change).where('id', '=', userId).execute();
    held.resolve();
    await released.promise;
  });
  await held.promise;
  const release = async () => {
    released.resolve();
    await holding;
  };
  return { release };
}

/** Waits until a query of this database waits for a lock. */
async function somebodyWaits(pool: OpenDatabase['pool']): Promise<void> {
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await eventually(async () => assert.equal((await pool.query(waiting)).rowCount, 1));
}

describe('a gateway that is cut off from Redis', async () => {
  const url = new URL(gateways.environment['REDIS_URL'] ?? '');
  const door = await openDoor({ after }, Number(url.port));
  url.port = String(door.port);
  const island = await gateways.start({ REDIS_URL: url.href });

  test('finds out by itself, and tells the others by PostgreSQL', async (t) => {
    const atIsland = await newAccount(here);
    const elsewhere = await newAccount(here);
    const hears = await connect(t, island, atIsland.userId, { token: atIsland.token });
    const others = await connect(t, there, elsewhere.userId, { token: elsewhere.token });
    const stays = await connect(t, island, 'somebody');
    door.leadTo(undefined);
    door.cut();
    await callOk(here, 'authLogout', { token: atIsland.token });
    await callOk(island, 'authLogout', { token: elsewhere.token });
    assert.equal((await hears.waitFor('session:ended')).code, 'LOGGED_OUT');
    assert.equal((await others.waitFor('session:ended')).code, 'LOGGED_OUT');
    await callRefused(island, 'meGet', 'UNAUTHORIZED', { token: atIsland.token });
    await callRefused(there, 'meGet', 'UNAUTHORIZED', { token: elsewhere.token });

    const operator = await token('operator', { role: 'admin' });
    const troll = await connect(t, island, 'troll');
    await callOk(here, 'adminUserBan', { token: operator, params: { id: 'troll' }, body: { on: true } });
    assert.equal((await troll.waitFor('session:ended')).code, 'BANNED');
    await stays.ok('room:list', {});
    assert.deepEqual(stays.all('session:ended'), []);
    door.leadTo(Number(new URL(gateways.environment['REDIS_URL'] ?? '').port));
  });
});

test('the gateways tell each other: nobody has to look for it', async (t) => {
  const { db } = lookInto(t, gateways.databaseUrl);
  const account = await newAccount(here);
  const client = await connect(t, there, account.userId, { token: account.token });
  await callOk(here, 'authLogout', { token: account.token });
  // From now on it ended so long ago that no look of a gateway will find it.
  const longAgo = { ended_at: new Date(Date.now() - 3_600_000) };
  await db.updateTable('sessions').set(longAgo).where('user_id', '=', account.userId).execute();
  assert.equal((await client.waitFor('session:ended')).code, 'LOGGED_OUT');
});

test('what is ended by hand in PostgreSQL has ended', async (t) => {
  const { db } = lookInto(t, gateways.databaseUrl);
  const account = await newAccount(here);
  const client = await connect(t, there, account.userId, { token: account.token });
  await db.updateTable('sessions').set({ ended_at: new Date() }).where('user_id', '=', account.userId).execute();
  assert.equal((await client.waitFor('session:ended')).code, 'LOGGED_OUT');
});

describe('a socket that is connecting at that moment', () => {
  test('does not slip through: its token was read before, it is registered after', async (t) => {
    const { db, pool } = lookInto(t, gateways.databaseUrl);
    const [first, second] = [await token('slippery', { name: 'First' }), await token('slippery', { name: 'Second' })];
    const witness = await connect(t, here, 'slippery', { token: first });
    const { release } = await holdUser(t, 'slippery');
    // A new name has to be stored, which waits for the row: after the token was found good, before the socket is there.
    const slipping = await openTransport(t, 'websocket', here);
    slipping.send(`40${JSON.stringify({ token: second })}`);
    await somebodyWaits(pool);
    // Given back so long ago that no look of a gateway will find it.
    const revoked = {
      token_id: createHash('sha256')
        .update(second.slice(0, second.lastIndexOf('.')))
        .digest(),
      user_id: 'slippery',
      revoked_at: new Date(Date.now() - 3_600_000),
      expires_at: new Date(Date.now() + 3_600_000),
    };
    await db.insertInto('revoked_tokens').values(revoked).execute();
    await callOk(there, 'authLogout', { token: first });
    assert.equal((await witness.waitFor('session:ended')).code, 'LOGGED_OUT'); // so this gateway has heard
    await release();
    assert.match(await slipping.packet('42["session:ended"'), /"code":"LOGGED_OUT"/);
  });

  test('on a transport whose token was good once, it is refused', async (t) => {
    const account = await newAccount(here);
    for (const kind of ['websocket', 'polling'] as const) {
      const session = kind === 'websocket' ? account : await newAccount(here);
      const transport = await openTransport(t, kind, there, { authorization: `Bearer ${session.token}` });
      transport.send('40');
      await transport.packet('40');
      transport.send('41');
      await callOk(here, 'authLogout', { token: session.token });
      transport.send('40{}');
      assert.match(await transport.packet('44'), /"code":"UNAUTHORIZED"/);
    }
  });
});

test('a login does not survive a password that is changed at that moment', async (t) => {
  const { db, pool } = lookInto(t, gateways.databaseUrl);
  const [account, other] = [await newAccount(here), await newAccount(here)];
  const { password_hash: hash } = await db
    .selectFrom('users')
    .where('id', '=', other.userId)
    .select('password_hash')
    .executeTakeFirstOrThrow();
  const { release } = await holdUser(t, account.userId, { password_hash: hash ?? '' });
  const login = call(there, 'authLogin', { body: { username: account.username, password: PASSWORD } });
  await somebodyWaits(pool); // the password was right, and the session is being opened
  await release();
  errorOf(await login, 'UNAUTHORIZED');
});
