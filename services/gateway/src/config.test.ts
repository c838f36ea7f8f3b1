import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

const good = {
  DATABASE_URL: 'postgres://parley@127.0.0.1/parley',
  REDIS_URL: 'redis://127.0.0.1:6379',
  JWT_SECRET: 'a'.repeat(32),
};

function problemsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

describe('readConfig', () => {
  test('three variables are enough; the rest has the defaults of the contract', () => {
    const config = readConfig(good);
    assert.equal(config.limits.MAX_MESSAGE_LENGTH, 10_000);
    assert.deepEqual(config.limits.RATE_MESSAGES_ROOM, { limit: 10, windowMs: 5_000 });
    assert.equal(config.REQUIRE_UPGRADE_AUTH, false);
    assert.deepEqual(config.ALLOWED_ORIGINS, []);
    assert.match(config.GATEWAY_NAME, /./);
    assert(Object.isFrozen(config));
  });

  test('empty variables count as unset, as compose files pass them', () => {
    const config = readConfig({
      ...good,
      PORT: '',
      JWKS_URL: '',
      GATEWAY_NAME: '',
      DRAIN_MS: '',
      REQUIRE_UPGRADE_AUTH: '',
    });
    assert.equal(config.PORT, 3000);
    assert.equal(config.JWKS_URL, undefined);
    assert.equal(config.limits.DRAIN_MS, 10_000);
  });

  test('codes by mail need a server and a sender', () => {
    const names = (environment: Record<string, string>) =>
      problemsOf({ ...good, ...environment }).map((problem) => problem.split(' ')[0]);
    const SMTP_URL = 'smtps://hunter2:secret@mail.example.org';
    assert.deepEqual(names({ CODE_SENDER: 'smtp' }), ['SMTP_URL', 'SMTP_FROM']);
    assert.deepEqual(names({ CODE_SENDER: 'smtp', SMTP_URL }), ['SMTP_FROM']);
    assert.deepEqual(names({ CODE_SENDER: 'smtp', SMTP_URL, SMTP_FROM: 'Chat <chat@example.org>' }), []);
    assert.deepEqual(names({ CODE_SENDER: '', SMTP_URL: '' }), []);
    assert.deepEqual(names({ CODE_SENDER: 'pigeon', SMTP_URL: 'https://mail.example.org' }), [
      'CODE_SENDER',
      'SMTP_URL',
    ]);
  });

  test('all problems are told at once, by name and without the values', () => {
    const problems = problemsOf({
      JWT_SECRET: 'short secret',
      DATABASE_URL: 'mysql://hunter2@host/db',
      PORT: '99999',
      RATE_JOIN: 'often',
      REQUIRE_UPGRADE_AUTH: 'yes',
    });
    const names = problems.map((problem) => problem.split(' ')[0]);
    assert.deepEqual(names.toSorted(), [
      'DATABASE_URL',
      'JWT_SECRET',
      'PORT',
      'RATE_JOIN',
      'REDIS_URL',
      'REQUIRE_UPGRADE_AUTH',
    ]);
    assert.doesNotMatch(problems.join('\n'), /hunter2|short secret|99999|often/);
  });

  test('a missing or short secret says how to make one', () => {
    assert.match(problemsOf({ ...good, JWT_SECRET: undefined }).join(), /openssl rand/);
    assert.match(problemsOf({ ...good, JWT_SECRET: 'a'.repeat(31) }).join(), /32 bytes/);
    // 16 characters of two bytes each are 32 bytes.
    assert.deepEqual(problemsOf({ ...good, JWT_SECRET: 'ä'.repeat(16) }), []);
  });

  test('lists are split and trimmed', () => {
    const config = readConfig({
      ...good,
      ALLOWED_ORIGINS: ' https://a.example , https://b.example,',
      TRUSTED_PROXIES: 'loopback',
    });
    assert.deepEqual(config.ALLOWED_ORIGINS, ['https://a.example', 'https://b.example']);
    assert.deepEqual(config.TRUSTED_PROXIES, ['loopback']);
  });

  test('off turns a limit off', () => {
    assert.equal(readConfig({ ...good, MAX_CONNECTIONS: 'off' }).limits.MAX_CONNECTIONS, null);
  });

  test('the rules of content and of cleaning have their defaults, and words to choose from', () => {
    const config = readConfig({ ...good, HTML_POLICY: '', WORD_FILTER: 'mask', WORD_FILTER_WORDS: 'darn, foo bar ,' });
    assert.equal(config.HTML_POLICY, 'keep');
    assert.equal(config.WORD_FILTER, 'mask');
    assert.deepEqual(config.WORD_FILTER_WORDS, ['darn', 'foo bar']);
    assert.equal(config.CLEANUP_EVERY, 60_000);
    assert.equal(config.ROOM_EMPTY_TTL, 86_400_000);
    assert.equal(config.AUDIT_TTL, 90 * 86_400_000);
    assert.equal(readConfig({ ...good, AUDIT_TTL: 'off' }).AUDIT_TTL, null);
    const names = problemsOf({ ...good, HTML_POLICY: 'remove', WORD_FILTER: 'on', ROOM_EMPTY_TTL: 'soon' });
    assert.deepEqual(
      names.map((problem) => problem.split(' ')[0]),
      ['HTML_POLICY', 'WORD_FILTER', 'ROOM_EMPTY_TTL'],
    );
  });
});
