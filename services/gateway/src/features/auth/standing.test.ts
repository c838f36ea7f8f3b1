import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BearerRow } from './bearer.sql.ts';
import { endingOf } from './standing.ts';

const good: BearerRow = {
  id: 'ana',
  name: 'Ana',
  claimed_name: null,
  is_banned: false,
  has_password: false,
  session_is_live: null,
  is_revoked: false,
  tokens_valid_after: null,
} as Partial<BearerRow> as BearerRow;

const at = (iso: string) => new Date(iso).getTime();
const validAfter = new Date('2026-03-01T12:00:05.700Z');

describe('endingOf', () => {
  const cases: [string, Partial<BearerRow> | undefined, Parameters<typeof endingOf>[1], string | undefined][] = [
    ['an application’s token', {}, {}, undefined],
    ['of a user that nobody knows yet', undefined, {}, undefined],
    ['of one who is banned', { is_banned: true }, {}, 'BANNED'],
    ['given back', { is_revoked: true }, {}, 'LOGGED_OUT'],
    ['issued before', { tokens_valid_after: validAfter }, { issuedAt: at('2026-03-01T12:00:04Z') }, 'LOGGED_OUT'],
    ['in the same second', { tokens_valid_after: validAfter }, { issuedAt: at('2026-03-01T12:00:05Z') }, 'LOGGED_OUT'],
    ['in the next one', { tokens_valid_after: validAfter }, { issuedAt: at('2026-03-01T12:00:06Z') }, undefined],
    ['of no known age', { tokens_valid_after: validAfter }, {}, undefined],
    ['an account’s token', { session_is_live: true }, { sessionId: 's' }, undefined],
    ['of a session that ended', { session_is_live: false }, { sessionId: 's' }, 'LOGGED_OUT'],
    ['of a session that is gone', { session_is_live: null }, { sessionId: 's' }, 'LOGGED_OUT'],
    ['of an account that is gone', undefined, { sessionId: 's' }, 'LOGGED_OUT'],
    ['of a banned account', { is_banned: true, session_is_live: false }, { sessionId: 's' }, 'BANNED'],
    [
      'of a session that began after all others were ended',
      { session_is_live: true, tokens_valid_after: validAfter },
      { sessionId: 's' },
      undefined,
    ],
  ];
  for (const [name, row, credential, ending] of cases) {
    test(name, () => assert.equal(endingOf(row && { ...good, ...row }, credential), ending));
  }
});
