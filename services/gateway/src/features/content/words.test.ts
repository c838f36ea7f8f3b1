import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createWordFilter } from './words.ts';

const filter = createWordFilter(['darn', 'Grüß', 'foo bar', 'foo bar baz', "can't", '任意', 'ควาย', '***', '']);

describe('the word filter', () => {
  for (const [text, masked] of [
    ['darn', '****'],
    ['DARN it, Darn!', '**** it, ****!'],
    ['darned undarn darn1 darn_', 'darned undarn darn1 darn_'],
    ['“darn”…(darn)', '“****”…(****)'],
    ['GRÜSS grüß', '***** ****'],
    ['Gru\u0308ß'.normalize('NFC'), '****'],
    ['foo bar', '*******'],
    ['foo, BAR baz foo', '************ foo'],
    ['foobar foo-baz', 'foobar foo-baz'],
    ["I can't", 'I *****'],
    ['這是任意的', '這是**的'],
    ['ว่าควายนะ', 'ว่า****นะ'],
    ['*** !!!', '*** !!!'],
    ['ｄａｒｎ 𝐝𝐚𝐫𝐧', '**** ****'],
    ['da\u00adrn d\u200ba\u200dr\u2060n', '***** *******'],
    ['👍 darn 👍', '👍 **** 👍'],
    ['\u200b \u00ad', '\u200b \u00ad'],
    ['', ''],
  ] as const) {
    test(`${JSON.stringify(text)} becomes ${masked}`, () => {
      assert.equal(filter.mask(text), masked);
      assert.equal(filter.has(text), text !== masked);
    });
  }

  test('an empty list finds nothing', () => {
    assert.equal(createWordFilter([]).has('darn'), false);
  });

  test('time goes by the text, not by the list: phrases that share their beginning, thousands of words', () => {
    const phrases = Array.from({ length: 200 }, (_, index) => `${'a '.repeat(20)}z${index}`);
    const words = Array.from({ length: 20_000 }, (_, index) => `word${index}`);
    const large = createWordFilter([...phrases, ...words]);
    assert.equal(large.has('a '.repeat(20_000)), false);
    assert.equal(large.mask('word7 word77777'), '***** word77777');
  });
});
