import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newAccount, PASSWORD } from '../support/accounts.ts';
import { lookInto } from '../support/database.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, callOk, callRefused, errorOf } from '../support/http.ts';

// Contract, section 6: ten failures in 10 minutes lock that pair of account and address for 15 minutes.

const gateways = await startGateways({ after }, 2, { TRUSTED_PROXIES: '127.0.0.1' });
const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
const login = (username: string, password: string, address: string) => ({
  body: { username, password },
  ...from(address),
});

test('a crowd of guesses at once learns no more than ten in a row, and not whether one of them was right', async () => {
  const { username } = await newAccount(here);
  const guesses = Array.from({ length: 24 }, (_, n) => `wrong horse ${n}`);
  guesses.push(PASSWORD); // comes last, when the others have failed
  const answers = await Promise.all(
    guesses.map((guess) => call(here, 'authLogin', login(username, guess, '10.3.0.1'))),
  );
  const refused = answers.map((answer) => answer.status);
  assert.equal(refused.filter((status) => status === 401).length, 10, refused.join());
  for (const answer of answers) errorOf(answer, answer.status === 401 ? 'UNAUTHORIZED' : 'RATE_LIMITED');
  assert.equal(refused.at(-1), 429);
  await callOk(there, 'authLogin', login(username, PASSWORD, '10.3.0.2'));
});

test('an unknown user is locked alike', async () => {
  for (let failure = 0; failure < 10; failure += 1) {
    await callRefused(here, 'authLogin', 'UNAUTHORIZED', login('nobody-here', 'wrong horse', '10.3.0.3'));
  }
  const refusal = await callRefused(there, 'authLogin', 'RATE_LIMITED', login('Nobody-Here', 'x', '10.3.0.3'));
  assert.ok((refusal.retryAfterMs ?? 0) > 14 * 60_000);
});

test('nine failures and a success begin anew; so do ten minutes, and the end of a lock', async (t) => {
  const { username } = await newAccount(here);
  const { db } = lookInto(t, gateways.databaseUrl);
  const fail = async (times: number) => {
    for (let failure = 0; failure < times; failure += 1) {
      await callRefused(here, 'authLogin', 'UNAUTHORIZED', login(username, 'wrong horse', '10.3.0.4'));
    }
  };
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  await fail(9);
  await callOk(there, 'authLogin', login(username, PASSWORD, '10.3.0.4'));
  await fail(9);
  await db
    .updateTable('login_failures')
    .set({ first_at: ago(11) })
    .where('account_key', '=', username)
    .execute();
  await fail(10);
  await callRefused(there, 'authLogin', 'RATE_LIMITED', login(username, PASSWORD, '10.3.0.4'));
  const over = { first_at: ago(16), locked_until: ago(1) };
  await db.updateTable('login_failures').set(over).where('account_key', '=', username).execute();
  await fail(1);
  await callOk(there, 'authLogin', login(username, PASSWORD, '10.3.0.4'));
});

test('many right logins of one account at once are all good', async () => {
  const { username } = await newAccount(here);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      call(n % 2 === 0 ? here : there, 'authLogin', login(username, PASSWORD, '10.3.0.5')),
    ),
  );
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
});
