import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sortMarks, toNfc } from './nfc.ts';

const ALL_MARKS: string[] = [];
for (let code = 0; code <= 0x10ffff; code += 1) {
  if (code >= 0xd800 && code <= 0xdfff) continue;
  const character = String.fromCodePoint(code);
  if (/\p{M}/u.test(character)) ALL_MARKS.push(character);
}

/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('sortMarks', () => {
  test('puts any run of marks into canonical order, by itself', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = randomFrom(seed);
      const length = 2 + Math.floor(random() * 300);
      const run = Array.from({ length }, () => ALL_MARKS[Math.floor(random() * ALL_MARKS.length)]).join('');
      assert.equal(sortMarks(run), run.normalize('NFD'), `seed ${seed}`);
    }
  });

  test('knows the class of every mark', () => {
    for (const mark of ALL_MARKS) {
      const run = `\u0345${mark}\u0334\u0301\u0327${mark}\u0345`;
      assert.equal(sortMarks(run), run.normalize('NFD'), mark.codePointAt(0)?.toString(16));
    }
  });
});

describe('toNfc', () => {
  test('is what the platform makes of it, for long runs of any marks', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = randomFrom(seed);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
      const few = Array.from({ length: 1 + Math.floor(random() * 20) }, () => pick(ALL_MARKS));
      const run = Array.from({ length: 60 + Math.floor(random() * 300) }, () => pick(random() < 0.5 ? few : ALL_MARKS));
      const text = `${pick(['', 'a', 'é', '가', 'ᄀ', '👍', ' '])}${run.join('')}${pick(['', 'e\u0301', 'ᅡ', 'z'])}`;
      assert.equal(toNfc(text), text.normalize('NFC'), `seed ${seed}`);
    }
  });

  test('is what the platform makes of every mark among others', () => {
    for (const mark of ALL_MARKS) {
      const text = `a${'\u0301\u0327\u0345\u0334'.repeat(20)}${mark}\u0323${mark}\u0300`;
      assert.equal(toNfc(text), text.normalize('NFC'), mark.codePointAt(0)?.toString(16));
    }
  });

  test('leaves lone surrogates and plain text alone', () => {
    for (const text of ['', 'plain', 'x'.repeat(1000), '\ud800', `${'\udc00'.repeat(100)}a`])
      assert.equal(toNfc(text), text);
  });

  // With the platform alone this takes more than a minute.
  test('takes a whole frame of marks in the worst order', () => {
    const marks = 250_000;
    const sorted = toNfc(`x${'\u0301\u0327'.repeat(marks)}`);
    assert.equal(sorted, `x${'\u0327'.repeat(marks)}${'\u0301'.repeat(marks)}`);
  });
});
