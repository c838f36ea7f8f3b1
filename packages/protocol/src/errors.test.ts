import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { ackOf, ErrorAnswer, ErrorBody, errors, issuesOf } from './index.ts';

describe('issuesOf', () => {
  test('dots the path, and has none for the whole', () => {
    const schema = z.object({ rooms: z.array(z.object({ id: z.string() })) });
    const issues = (payload: unknown) => issuesOf(schema.safeParse(payload).error!).map(({ path }) => path);
    assert.deepEqual(issues({ rooms: [{ id: 'a' }, {}] }), ['rooms.1.id']);
    assert.deepEqual(issues(null), ['']);
  });

  test('has at most 20 entries with messages of at most 200 characters', () => {
    const schema = z.array(z.string().refine(() => false, 'x'.repeat(500)));
    const issues = issuesOf(schema.safeParse(Array.from({ length: 50 }, () => '')).error!);
    assert.equal(issues.length, 20);
    for (const { message } of issues) assert.equal(message.length, 200);
  });
});

describe('answers', () => {
  const Answer = ackOf(z.object({ n: z.number() }));

  test('are data or an error', () => {
    assert.deepEqual(Answer.parse({ ok: true, data: { n: 1 } }), { ok: true, data: { n: 1 } });
    const error = { code: 'MUTED', message: 'Later', details: { until: 'x' }, retryAfterMs: 5 };
    assert.deepEqual(Answer.parse({ ok: false, error }), { ok: false, error });
    assert.deepEqual(ErrorAnswer.parse({ error }), { error });
    for (const bad of [{ ok: true }, { ok: false }, { ok: false, data: { n: 1 } }, { ok: 1, data: { n: 1 } }, {}]) {
      assert.equal(Answer.safeParse(bad).success, false);
    }
  });

  test('leave absent fields out', () => {
    const body = { code: 'INTERNAL', message: 'Sorry' };
    assert.equal(ErrorBody.safeParse(body).success, true);
    assert.equal(ErrorBody.safeParse({ ...body, retryAfterMs: null }).success, false);
    assert.equal(ErrorBody.safeParse({ ...body, code: 'OOPS' }).success, false);
  });
});

test('a code says whether to try again', () => {
  for (const [code, { meaning, status, retry }] of Object.entries(errors)) {
    assert.ok(meaning.endsWith('.'), code);
    assert.equal(retry === 'after', status === 429, code);
    assert.equal(retry === 'newToken', status === 401, code);
    assert.equal(retry === 'sameRequest', status !== null && status >= 500, code);
  }
});
