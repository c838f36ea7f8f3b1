import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Board } from './board.ts';

const ANA = { id: 'ana', name: 'Ana' };
const BEN = { id: 'ben', name: 'Ben' };

function boardAt(t: TestContext, now = 0): { board: Board; told: string[] } {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now });
  const told: string[] = [];
  const board = new Board(({ roomId, user, isTyping }) => told.push(`${roomId} ${user.id} ${isTyping ? '+' : '-'}`));
  t.after(() => board.stop());
  return { board, told };
}

/** In steps, since the mocked clock shows the end of a tick to everything that fires within it. */
function pass(t: TestContext, ms: number): void {
  for (let passed = 0; passed < ms; passed += 100) t.mock.timers.tick(100);
}

describe('the board of who types', () => {
  test('tells a start and a stop, and nothing twice', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    board.started('r', ANA, 'g1', 3_000);
    assert.deepEqual(board.typingIn('r'), [ANA]);
    board.stopped('r', 'ana', 'g1');
    board.stopped('r', 'ana', 'g1');
    assert.deepEqual(told, ['r ana +', 'r ana -']);
    assert.deepEqual([board.typingIn('r'), board.size], [[], 0]);
  });

  test('typing ends by itself, and not before', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    pass(t, 2_900);
    assert.deepEqual(told, ['r ana +']);
    pass(t, 100);
    assert.deepEqual(told, ['r ana +', 'r ana -']);
    assert.equal(board.size, 0);
  });

  test('saying it again moves the end', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    pass(t, 2_000);
    board.started('r', ANA, 'g1', 5_000);
    pass(t, 2_900);
    assert.deepEqual(told, ['r ana +']);
    pass(t, 100);
    assert.deepEqual(told, ['r ana +', 'r ana -']);
  });

  test('a user of several gateways is one, and stops with the last', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    board.started('r', ANA, 'g2', 3_000);
    board.stopped('r', 'ana', 'g1');
    assert.deepEqual(told, ['r ana +']);
    board.stopped('r', 'ana', 'g2');
    assert.deepEqual(told, ['r ana +', 'r ana -']);
  });

  test('the end is that of the gateway that ends last, also after one has stopped', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 6_000);
    board.started('r', ANA, 'g2', 3_000);
    pass(t, 4_000);
    assert.deepEqual(told, ['r ana +']);
    board.started('r', ANA, 'g2', 7_000);
    board.stopped('r', 'ana', 'g2');
    pass(t, 1_900);
    assert.deepEqual(told, ['r ana +']);
    pass(t, 100);
    assert.deepEqual(told, ['r ana +', 'r ana -']);
  });

  test('a message ends it at all gateways', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    board.started('r', ANA, 'g2', 3_000);
    board.cleared('r', 'ana');
    board.cleared('r', 'ben');
    assert.deepEqual(told, ['r ana +', 'r ana -']);
    assert.equal(board.size, 0);
  });

  test('rooms and users do not touch each other', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    board.started('s', ANA, 'g1', 3_000);
    board.started('r', BEN, 'g1', 3_000);
    board.stopped('r', 'ana', 'g1');
    assert.deepEqual([board.typingIn('r'), board.typingIn('s')], [[BEN], [ANA]]);
    assert.deepEqual(told.at(-1), 'r ana -');
  });

  test('a room that nobody hears is forgotten in silence', (t) => {
    const { board, told } = boardAt(t);
    board.started('r', ANA, 'g1', 3_000);
    board.forget('r');
    pass(t, 4_000);
    assert.deepEqual([told, board.typingIn('r'), board.size], [['r ana +'], [], 0]);
  });

  test('of very many only some are shown, and a stop is told of those alone', (t) => {
    const { board, told } = boardAt(t);
    for (let index = 0; index < 60; index += 1) board.started('r', { id: `u${index}`, name: '' }, 'g1', 3_000);
    assert.equal(board.typingIn('r').length, 50);
    board.stopped('r', 'u55', 'g1');
    assert.equal(told.length, 50);
    board.stopped('r', 'u0', 'g1');
    board.started('r', { id: 'u59', name: '' }, 'g1', 3_000);
    assert.deepEqual(told.slice(50), ['r u0 -', 'r u59 +']);
  });
});
