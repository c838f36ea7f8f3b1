import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { containsHtml, stripHtml } from './html.ts';

const NOT_HTML = [
  'a < b',
  'a < b > c',
  '1 <2 and 3> 2',
  '<3',
  '</3',
  'I <3 you, </3 them',
  '<>',
  '</>',
  '<-- look',
  '<!',
  '<?',
  '<!?!>',
  '>_<',
  'x = y << 2 >> 1',
  '&lt;b&gt; &amp; &#60;',
  'a <\u0338b>',
  '<ä>',
  '&',
];

describe('what is HTML', () => {
  for (const text of NOT_HTML) test(`not ${text}`, () => assert.equal(containsHtml(text), false));

  for (const text of [
    '<b>',
    '</b>',
    'x<B',
    '<img src=x onerror=alert(1)',
    '<!-- x -->',
    '<!DOCTYPE html>',
    '<![CDATA[x]]>',
    '<?xml version="1.0"?>',
    '<x-y>',
    '<svg/onload=alert(1)>',
  ]) {
    test(text, () => assert.equal(containsHtml(text), true));
  }
});

describe('stripHtml', () => {
  for (const text of NOT_HTML) test(`leaves ${text}`, () => assert.equal(stripHtml(text), text));

  for (const [html, text] of [
    ['<b>bold</b> and <i class="x">italic</i>', 'bold and italic'],
    ['<script>alert(1)</script>hi', 'hi'],
    ['a<SCRIPT src=x>if (1<2) x("</b>")</ScRiPt >b', 'ab'],
    ['<style>b { color: red }</style>red', 'red'],
    ['<script>alert(1)', ''],
    ['<img src=x onerror="alert(\'>\')">', ''],
    ['<a href="javascript:alert(1)">click</a>', 'click'],
    ['<svg/onload=alert(1)>', ''],
    ['<textarea><b>x</b></textarea>', 'x'],
    ['<!-- <b> -->x', 'x'],
    ['<!doctype html>x', 'x'],
    ['<p>a < b &amp; <3</p>', 'a < b &amp; <3'],
    ['</3 <b>x</b> <!> </>', '</3 x <!> </>'],
    ['<scr<script></script>ipt>alert(1)</scr<script></script>ipt>', 'ipt>alert(1)ipt>'],
    ['<<b></b>script>alert(1)<<b></b>/script>', ''],
    ['if a<b then c', 'if a\u2039b then c'],
    ['a<b', 'a\u2039b'],
    ['x</b', 'x\u2039/b'],
    ['<b>x</b><img src="y', 'x\u2039img src="y'],
    ['<b></b>', ''],
  ] as const) {
    test(html, () => assert.equal(stripHtml(html), text));
  }

  test('nothing is left that is HTML, however it was put together, and nothing grew', () => {
    const piece = fc.constantFrom(
      ...'<<<>>/!?-= "\'ab3'.split(''),
      '<b',
      '</b>',
      '<script>',
      '</script>',
      '<!--',
      '-->',
      'onload=',
      '<![CDATA[',
      '<?p',
      '<textarea>',
      'text',
    );
    const writings = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(writings, (written) => {
        const stripped = stripHtml(written);
        if (stripped === undefined) return;
        assert.equal(containsHtml(stripped), false);
        assert.ok(stripped.length <= written.length);
        if (!containsHtml(written)) assert.equal(stripped, written);
      }),
      { numRuns: 3_000 },
    );
  });

  test('tags that make tags without end are given up', () => {
    let nested = '<b>';
    for (let depth = 0; depth < 50; depth += 1) nested = `<${nested}b>`;
    assert.equal(stripHtml(nested), undefined);
  });

  test('a long message of nothing but the beginnings of tags is done in one go', () => {
    assert.equal(stripHtml('<a '.repeat(300_000))?.length, 900_000);
  });
});
