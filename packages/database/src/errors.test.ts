import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLockTimeout, isStatementTimeout, isTransient, isUnavailable, isUniqueViolation } from './errors.ts';
import { createRooms, openOwnDatabase } from './testing/world.ts';

function failure(code: string, message = 'failed', more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more });
}

test('a unique violation is known by its constraint', async (t) => {
  const { db } = await openOwnDatabase(t);
  const { users } = await createRooms(db, { rooms: 1, users: 1 });
  const again = db.insertInto('users').values({ id: users[0] as string, name: 'Again' });
  await assert.rejects(again.execute(), (error) => {
    assert.equal(isUniqueViolation(error), true);
    assert.equal(isUniqueViolation(error, 'users_pkey'), true);
    assert.equal(isUniqueViolation(error, 'users_username_key_key'), false);
    assert.equal(isUnavailable(error) || isTransient(error) || isStatementTimeout(error), false);
    return true;
  });
});

describe('isUnavailable', () => {
  const away = [
    '57P01',
    '57P02',
    '57P03',
    '53300',
    '25006',
    '25P03',
    '08000',
    '08006',
    '08P01',
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
  ];
  for (const code of away) {
    test(`${code} is`, () => assert.equal(isUnavailable(failure(code)), true));
  }
  for (const code of ['23505', '40001', '42P01', '57014', '080', '08', 'ENOENT', 'ERR_ASSERTION']) {
    test(`${code} is not`, () => assert.equal(isUnavailable(failure(code)), false));
  }

  test('a missing Unix socket is, a missing file is not', () => {
    assert.equal(isUnavailable(failure('ENOENT', 'no', { syscall: 'connect' })), true);
    assert.equal(isUnavailable(failure('ENOENT', 'no', { syscall: 'open' })), false);
  });

  test('it looks at causes and at all addresses that were tried, and ends on a circle', () => {
    assert.equal(isUnavailable(new Error('x', { cause: new Error('y', { cause: failure('57P01') }) })), true);
    assert.equal(isUnavailable(new AggregateError([failure('X'), failure('ECONNREFUSED')])), true);
    const circle = new Error('circle');
    circle.cause = circle;
    assert.equal(isUnavailable(circle), false);
  });

  test('what is no error is not', () => {
    for (const value of [undefined, null, 'Connection terminated', 57, {}]) assert.equal(isUnavailable(value), false);
  });
});

test('isTransient knows what was surely rolled back', () => {
  for (const code of ['40001', '40P01', '55P03']) assert.equal(isTransient(failure(code)), true);
  for (const code of ['57P01', '57014', '23505', '40002']) assert.equal(isTransient(failure(code)), false);
});

test('isLockTimeout knows who waited for a lock for too long', () => {
  assert.equal(isLockTimeout(new Error('x', { cause: failure('55P03') })), true);
  for (const code of ['40P01', '57014']) assert.equal(isLockTimeout(failure(code)), false);
});

test('isStatementTimeout knows the cancelled statement', () => {
  assert.equal(isStatementTimeout(failure('57014')), true);
  assert.equal(isStatementTimeout(failure('57P01')), false);
});
