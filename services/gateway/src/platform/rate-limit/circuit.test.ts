import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Circuit, CircuitOpen } from './circuit.ts';
import { Turnstile } from './turnstile.ts';

const away = new Error('away');
const fails = () => Promise.reject(away);
const hangs = () => new Promise<never>(() => {});

function circuit() {
  const clock = { now: 0 };
  const told: string[] = [];
  const made = new Circuit({
    now: () => clock.now,
    onOpen: () => told.push('open'),
    onClose: () => told.push('close'),
  });
  return { clock, told, circuit: made };
}

describe('Circuit', () => {
  test('after a failure nobody asks for a second, then one does, and the answer closes it', async () => {
    const { clock, told, circuit: here } = circuit();
    assert.equal(await here.run(async () => 1), 1);
    await assert.rejects(here.run(fails), away);
    await assert.rejects(
      here.run(async () => assert.fail('it was asked')),
      CircuitOpen,
    );
    clock.now = 999;
    assert.equal(here.isPassable, false);
    clock.now = 1_000;
    const { promise, resolve } = Promise.withResolvers<number>();
    const tried = here.run(() => promise);
    assert.equal(here.isPassable, false, 'two try at once');
    resolve(2);
    assert.equal(await tried, 2);
    assert.equal(await here.run(async () => 3), 3);
    assert.deepEqual(told, ['open', 'close']);
  });

  test('a try that fails keeps it open for another second, and tells nobody again', async () => {
    const { clock, told, circuit: here } = circuit();
    await assert.rejects(here.run(fails), away);
    clock.now = 1_500;
    await assert.rejects(here.run(fails), away);
    clock.now = 2_499;
    assert.equal(here.isPassable, false);
    clock.now = 2_500;
    assert.equal(here.isPassable, true);
    assert.deepEqual(told, ['open']);
  });

  test('of a crowd only one waits for the time-out: when it opens, all that is under way fails', async () => {
    const { circuit: here } = circuit();
    const { promise, reject } = Promise.withResolvers<never>();
    const crowd = [here.run(hangs), here.run(() => promise), here.run(hangs)];
    reject(away);
    const outcomes = await Promise.allSettled(crowd);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
  });

  test('a failure that comes after the others is no new one', async () => {
    const { clock, circuit: here } = circuit();
    const { promise, reject } = Promise.withResolvers<never>();
    const late = here.run(() => promise);
    await assert.rejects(here.run(fails), away);
    await assert.rejects(late, away);
    clock.now = 1_000;
    assert.equal(await here.run(async () => 1), 1);
    reject(new Error('late'));
    await new Promise(setImmediate);
    assert.equal(here.isPassable, true);
  });
});

describe('Turnstile', () => {
  test('lets 32 of one user in, then one for each that leaves, in the order they came', async () => {
    const turnstile = new Turnstile();
    const order: number[] = [];
    for (let index = 0; index < 32; index += 1) assert.equal(turnstile.enter('ana'), undefined);
    for (let index = 0; index < 3; index += 1) {
      const turn = turnstile.enter('ana');
      assert.ok(turn);
      void turn.then(() => order.push(index));
    }
    assert.equal(turnstile.enter('ben'), undefined, 'another user waits');
    turnstile.leave('ana');
    await new Promise(setImmediate);
    assert.deepEqual(order, [0]);
    turnstile.leave('ana');
    turnstile.leave('ana');
    await new Promise(setImmediate);
    assert.deepEqual(order, [0, 1, 2]);
    for (let index = 0; index < 32; index += 1) turnstile.leave('ana');
    for (let index = 0; index < 32; index += 1) assert.equal(turnstile.enter('ana'), undefined);
  });
});
