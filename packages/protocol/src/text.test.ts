import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AvatarUrl, codePointLength, contentLength, DisplayName, Emoji, RoomName, roomNameKey } from './index.ts';

describe('lengths', () => {
  test('codePointLength', () => {
    for (const [text, length] of [
      ['', 0],
      ['abc', 3],
      ['👍', 1],
      ['👍👍x', 3],
      ['\ud83d', 1],
      ['\ud83d\ud83d\udc4d', 2],
      ['\udc4d\ud83d', 2],
      ['e\u0301', 2],
    ] as const) {
      assert.equal(codePointLength(text), length, JSON.stringify(text));
      assert.equal([...text].length, length);
    }
  });

  test('contentLength counts after NFC and trimming', () => {
    assert.equal(contentLength('  e\u0301👍\n'), 2);
    assert.equal(contentLength('\u0958'), 2, 'NFC can be longer, too');
    assert.equal(contentLength('a b'), 3);
  });
});

describe('room names', () => {
  test('letters and digits of all scripts, space, "-", "_", "."', () => {
    for (const name of [
      'general',
      'Tea room 2.0',
      'a_b-c',
      'Grüße',
      'общий',
      '東京',
      'हिन्दी',
      'ไทยที่นี่',
      'עִבְרִית',
      '٣',
      '...',
    ]) {
      assert.deepEqual(RoomName.safeParse(name).data, name.normalize('NFC'));
    }
  });

  test('nothing else', () => {
    for (const name of [
      'a/b',
      '<b>',
      '#general',
      'a\tb',
      'a\nb',
      'a\u00a0b',
      '👍',
      '\u0301',
      ' \u0301a',
      'a\u200db',
      '½',
      'a\u202eb',
    ]) {
      assert.equal(RoomName.safeParse(name).success, false, JSON.stringify(name));
    }
  });

  test('names that differ in case have one key', () => {
    const pairs = [
      ['General', 'gENERAL'],
      ['Straße', 'STRASSE'],
      ['STRAẞE', 'strasse'],
      ['Όδος', 'ΌΔΟΣ'],
      ['Caf\u00e9', 'CAFE\u0301'],
      ['ДОМ', 'дом'],
    ] as const;
    for (const [one, other] of pairs) assert.equal(roomNameKey(one), roomNameKey(other), `${one} ${other}`);
    assert.notEqual(roomNameKey('cafe'), roomNameKey('café'));
    assert.notEqual(roomNameKey('a b'), roomNameKey('ab'));
  });

  test('the key of every letter is the key of its upper and lower case, and of the key', () => {
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const letter = String.fromCodePoint(code);
      if (!/\p{L}/u.test(letter)) continue;
      const key = roomNameKey(letter);
      for (const same of [letter.toLowerCase(), letter.toUpperCase(), letter.normalize('NFD'), key]) {
        assert.equal(roomNameKey(same), key, code.toString(16));
      }
    }
  });
});

test('display names are trimmed and NFC', () => {
  assert.equal(DisplayName.parse(' Zoe\u0308 '), 'Zo\u00eb');
  assert.equal(DisplayName.parse('x'.repeat(100)), 'x'.repeat(100));
  for (const name of ['', ' ', 'a\u0000', 'a\u0085b', 'a\u001bb'])
    assert.equal(DisplayName.safeParse(name).success, false);
});

test('an emoji is any text without white space and control characters', () => {
  for (const emoji of ['👍', '👩‍👩‍👧‍👦', '❤️', ':tea:', '+1', '🇨🇭', '👍'.repeat(32)]) assert.equal(Emoji.parse(emoji), emoji);
  for (const emoji of ['', ' ', 'a\u2003b', '\u007f']) assert.equal(Emoji.safeParse(emoji).success, false);
});

test('an avatar is an http or https URL, or empty', () => {
  for (const url of ['', 'http://a', 'HTTPS://example.org/ä?b=c#d', `https://a/${'x'.repeat(2038)}`]) {
    assert.equal(AvatarUrl.parse(url), url);
  }
  for (const url of [
    'x',
    '//a/b',
    'data:image/png;base64,AA',
    'https:a',
    'https://a b',
    'http://a/\t',
    'ftp://a',
    'http://[',
  ]) {
    assert.equal(AvatarUrl.safeParse(url).success, false, url);
  }
});
