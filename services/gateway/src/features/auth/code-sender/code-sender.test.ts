import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../platform/log.ts';
import { createLogSender } from './log-sender.ts';
import { createSmtpSender } from './smtp-sender.ts';

const message = { username: 'ana', email: 'ana@example.org', code: '012345', ttlMs: 600_000 };

test('the log sender writes the code into one line of the log', async () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', name: 'test' }, { write: (line) => void lines.push(line) });
  await createLogSender(log).send(message);
  assert.equal(lines.length, 1);
  const { msg, username, code } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual({ msg, username, code }, { msg: 'one-time code', username: 'ana', code: '012345' });
});

test('the SMTP sender can’t send to nobody, or over a server that is away', async () => {
  const sender = createSmtpSender({ url: 'smtp://127.0.0.1:1', from: 'chat@example.org' });
  await assert.rejects(sender.send({ ...message, email: undefined }), /no e-mail address/);
  await assert.rejects(sender.send(message), /ECONNREFUSED/);
  sender.close();
});
