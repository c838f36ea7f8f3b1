import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { eventually } from '@parley/test-support';
import { SMTPServer } from 'smtp-server';
import { newAccount } from '../support/accounts.ts';
import { startGateways } from '../support/gateways.ts';
import { call, callOk, http } from '../support/http.ts';

// Contract, section 6: a code is delivered by the configured sender; here by mail, to a mail server of the test's own.

interface Mail {
  from: string;
  to: string[];
  body: string;
}

const mails: Mail[] = [];
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData: (stream, { envelope }, done) => {
    void text(stream).then((body) => {
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
      mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), body });
      done();
    });
  },
});
smtp.listen(0, '127.0.0.1');
await once(smtp.server, 'listening');

const { port } = smtp.server.address() as AddressInfo;
const gateways = await startGateways({ after }, 0);
const settings = { CODE_SENDER: 'smtp', SMTP_FROM: 'Chat <chat@example.org>' };
const gateway = await gateways.start({ ...settings, SMTP_URL: `smtp://127.0.0.1:${port}` });
after(() => new Promise<void>((resolve) => smtp.close(() => resolve())));

test('a code comes by mail to the address of the account, and logs in', async () => {
  const { username } = await newAccount(gateway, { email: 'ana@example.org' });
  assert.deepEqual(await callOk(gateway, 'authCode', { body: { username } }), {});
  const mail = await eventually(() => {
    const [first] = mails;
    assert.ok(first);
    return first;
  });
  assert.deepEqual([mail.from, mail.to], ['chat@example.org', ['ana@example.org']]);
  const [, code = ''] = /^(\d{6}) is the login code of /m.exec(mail.body) ?? [];
  const [head = ''] = mail.body.split('\r\n\r\n');
  assert.ok(!head.includes(code), 'a subject is shown on locked screens');
  await callOk(gateway, 'authCodeVerify', { body: { username, code } });
});

test('an account without an address gets none, a stranger neither, and both answers are the same', async () => {
  const { username } = await newAccount(gateway);
  const last = await newAccount(gateway, { email: 'barrier@example.org' });
  const before = mails.length;
  for (const name of [username, 'nobody', last.username]) {
    assert.deepEqual(await callOk(gateway, 'authCode', { body: { username: name } }), {});
  }
  await eventually(() => assert.equal(mails.at(-1)?.to[0], 'barrier@example.org'));
  assert.equal(mails.length, before + 1);
});

test('the address is nobody’s to see', async () => {
  const answer = await call(gateway, 'authRegister', {
    body: { username: 'private', password: 'correct horse', email: 'private@example.org' },
  });
  assert.equal(answer.status, 201);
  const { accessToken } = answer.json() as { accessToken: string };
  const me = await call(gateway, 'meGet', { token: accessToken });
  assert.ok(!`${answer.text}${me.text}`.includes('private@example.org'));
});

test('a mail server that is away changes no answer, and is counted', async () => {
  const deaf = await gateways.start({ ...settings, SMTP_URL: 'smtp://127.0.0.1:1' });
  const { username } = await newAccount(deaf, { email: 'ben@example.org' });
  assert.deepEqual(await callOk(deaf, 'authCode', { body: { username } }), {});
  await eventually(async () => {
    const { text: metrics } = await http({ url: deaf.metricsUrl }, '/metrics');
    assert.match(metrics, /parley_codes_sent_total\{result="failed"\} 1/);
  });
  await deaf.stop();
});
