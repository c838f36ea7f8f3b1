import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushFilter } from './push-filter.ts';

const resp2 = (payload: string): string => `*3\r\n$8\r\nsmessage\r\n$4\r\nroom\r\n$${payload.length}\r\n${payload}\r\n`;
const resp3 = (payload: string): string => `>${resp2(payload).slice(1)}`;
const OTHERS = [
  '+OK\r\n',
  ':12\r\n',
  '$-1\r\n',
  '*2\r\n$2\r\n*3\r\n*1\r\n:1\r\n',
  '%1\r\n+server\r\n=8\r\ntxt:re\r\n\r\n',
  '>3\r\n$10\r\nssubscribe\r\n$4\r\nroom\r\n:1\r\n',
  '_\r\n',
];

/** Everything through the filter, cut into pieces of one size. */
function pass(text: string, size: number, drops: () => boolean): string {
  const filter = pushFilter(drops)();
  const data = Buffer.from(text);
  let passed = '';
  for (let start = 0; start < data.length; start += size)
    passed += filter(data.subarray(start, start + size)).toString();
  return passed;
}

test('messages are dropped whole, everything else passes, however it is cut', () => {
  const text = [resp2('one\r\ntwo'), OTHERS[0], resp3('three'), ...OTHERS.slice(1), resp3('four')].join('');
  for (const size of [1, 3, 7, 64, text.length]) {
    assert.equal(
      pass(text, size, () => true),
      OTHERS.join(''),
    );
    assert.equal(
      pass(text, size, () => false),
      text,
    );
  }
});

test('each message is asked for once', () => {
  let asked = 0;
  const everySecond = (): boolean => (asked += 1) % 2 === 0;
  assert.equal(pass(resp3('a') + resp3('b') + resp3('c'), 5, everySecond), resp3('a') + resp3('c'));
  assert.equal(asked, 3);
});
