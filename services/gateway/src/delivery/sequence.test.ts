import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Sequence } from './sequence.ts';

describe('Sequence', () => {
  test('hands on what comes next, and what waited for it', () => {
    const sequence = new Sequence<string>(10);
    assert.deepEqual(sequence.accept(12, 'twelve'), []);
    assert.deepEqual(sequence.accept(13, 'thirteen'), []);
    assert.deepEqual(sequence.accept(11, 'eleven'), ['eleven', 'twelve', 'thirteen']);
    assert.equal(sequence.position, 13);
  });

  test('drops what was there before, handed on or waiting', () => {
    const sequence = new Sequence<string>(0);
    sequence.accept(1, 'one');
    assert.deepEqual(sequence.accept(1, 'one again'), []);
    sequence.accept(3, 'three');
    sequence.accept(3, 'three again');
    assert.equal(sequence.accept(2, 'two').length, 2);
    assert.deepEqual(sequence.accept(3, 'three once more'), []);
  });

  test('says what is missing: up to the first that waits, or up to what is known to exist', () => {
    const sequence = new Sequence<string>(5);
    assert.equal(sequence.missing, undefined);
    sequence.accept(9, 'nine');
    assert.deepEqual(sequence.missing, { after: 5, upTo: 8 });
    sequence.accept(8, 'eight');
    assert.deepEqual(sequence.missing, { after: 5, upTo: 7 });
    const quiet = new Sequence<string>(5);
    quiet.knows(7);
    assert.deepEqual(quiet.missing, { after: 5, upTo: 7 });
    quiet.knows(6);
    assert.equal(quiet.known, 7);
  });

  test('what it is given beyond its bound is missing, not lost', () => {
    const sequence = new Sequence<number>(0);
    for (let number = 3_000; number > 1; number -= 1) sequence.accept(number, number);
    const first = sequence.accept(1, 1);
    assert.equal(first.length, 1);
    const { after, upTo } = sequence.missing ?? { after: 0, upTo: 0 };
    assert.equal(after, 1);
    assert(upTo < 3_000 && upTo >= 2);
  });

  test('gives up what is missing, and goes on with what waited behind it', () => {
    const sequence = new Sequence<string>(0);
    sequence.accept(3, 'three');
    sequence.accept(6, 'six');
    assert.deepEqual(sequence.skipTo(5), ['six']);
    assert.equal(sequence.position, 6);
    assert.deepEqual(sequence.skipTo(2), []);
    assert.equal(sequence.position, 6);
  });
});
