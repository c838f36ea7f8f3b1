import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { issuesOf } from './index.ts';
import { commandSamples, endpointSamples, ROOM, type Sample } from './input-samples.ts';

const LEVELS = 10_000;
const deepArray: unknown = JSON.parse('['.repeat(LEVELS) + ']'.repeat(LEVELS));
const deepObject: unknown = JSON.parse(`${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`);

/** Nothing that a client sends comes back in an error, so this text must not. */
const SECRET = 'xyzzy-4711';

/** Values that no field takes, whatever its type. */
const NEVER_GOOD: readonly unknown[] = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53,
  -1,
  1.5,
  'a\u0000b',
  '\ud800',
  'a\udc00b',
  10n,
  Symbol('x'),
  () => SECRET,
  new Date(),
  Buffer.from(SECRET),
  deepArray,
  deepObject,
  [[SECRET]],
  { [SECRET]: SECRET },
  SECRET.repeat(100_000).concat('\u0000'),
  JSON.parse('{"__proto__": {"seq": 1, "roomId": "x"}}'),
];

const NOT_AN_OBJECT: readonly unknown[] = [
  null,
  [],
  [{}],
  '',
  '{}',
  0,
  1,
  Number.NaN,
  true,
  10n,
  () => ({}),
  deepArray,
  'x'.repeat(1_000_000),
];

function refused({ schema }: Sample, payload: unknown) {
  const result = schema.safeParse(payload);
  assert.equal(result.success, false, 'is refused');
  const issues = issuesOf(result.error);
  assert.ok(issues.length >= 1 && issues.length <= 20, 'says why, at most 20 times');
  for (const { message } of issues) assert.ok(message.length > 0 && message.length <= 200);
  assert.ok(!JSON.stringify(issues).includes(SECRET), 'repeats nothing of what was sent');
  return issues;
}

for (const sample of [...commandSamples, ...endpointSamples]) {
  const { name, schema, good, parsed = good, full = good, bad } = sample;

  describe(name, () => {
    test('takes what is good', () => {
      assert.deepEqual(schema.parse(good), parsed);
      assert.equal(schema.safeParse(full).success, true);
    });

    test('refuses what is bad, and says where', () => {
      for (const [payload, path] of bad) assert.equal(refused(sample, payload)[0]?.path, path);
    });

    test('refuses what is no object', () => {
      for (const payload of NOT_AN_OBJECT) assert.equal(refused(sample, payload)[0]?.path, '');
    });

    test('takes nothing at all only where nothing is required', () => {
      const missing = schema.safeParse(undefined);
      const empty = schema.safeParse({});
      if (empty.success && name.endsWith('query') === false) assert.deepEqual(missing.data, empty.data);
      else assert.equal(refused(sample, undefined)[0]?.path, '');
    });

    test('refuses a bad value in every field', () => {
      for (const field of Object.keys(full)) {
        for (const value of NEVER_GOOD) {
          const [first] = refused(sample, { ...full, [field]: value });
          assert.equal(first?.path.split('.')[0], field);
        }
      }
    });

    test('leaves out what it does not know', () => {
      const unknown = `{"__proto__": {"admin": true}, "constructor": {"prototype": 1}, "toString": 1, "${SECRET}": 1}`;
      const result = schema.parse({ ...full, ...JSON.parse(unknown), deep: deepArray, deeper: deepObject });
      assert.deepEqual(result, schema.parse(full));
      assert.equal(Object.getPrototypeOf(result), Object.prototype);
      assert.equal(({} as Record<string, unknown>)['admin'], undefined);
    });

    test('takes no field from a __proto__ of the payload', () => {
      const disguised: unknown = JSON.parse(`{"__proto__": ${JSON.stringify(full)}}`);
      assert.deepEqual(schema.safeParse(disguised).data, schema.safeParse({}).data);
    });
  });
}

describe('every input has cases', () => {
  for (const { name, good, bad } of [...commandSamples, ...endpointSamples]) {
    test(name, () => assert.ok(good !== undefined && bad.length > 0));
  }
});

describe('what parsing makes of a payload', () => {
  const inputs = Object.fromEntries([...commandSamples, ...endpointSamples].map(({ name, schema }) => [name, schema]));

  test('room ids are lower case', () => {
    assert.deepEqual(inputs['room:leave']?.parse({ roomId: ROOM.toUpperCase() }), { roomId: ROOM });
    const nil = '00000000-0000-0000-0000-000000000000';
    assert.deepEqual(inputs['room:leave']?.parse({ roomId: nil }), { roomId: nil });
  });

  test('content becomes NFC and keeps its white space', () => {
    const parsed = inputs['message:send']?.parse({ roomId: ROOM, content: ' Cafe\u0301\n', clientMsgId: 'e\u0301' });
    assert.deepEqual(parsed, { roomId: ROOM, content: ' Caf\u00e9\n', clientMsgId: 'e\u0301' });
  });

  test('content has no upper bound of its own', () => {
    const content = 'x'.repeat(1_000_000);
    assert.equal(inputs['message:edit']?.safeParse({ roomId: ROOM, seq: 1, content }).success, true);
  });

  test('lengths are code points', () => {
    const send = inputs['message:send'];
    const clientMsgId = '👍'.repeat(64);
    assert.equal(send?.safeParse({ roomId: ROOM, content: 'x', clientMsgId }).success, true);
    assert.equal(send?.safeParse({ roomId: ROOM, content: 'x', clientMsgId: `${clientMsgId}x` }).success, false);
  });

  test('names are trimmed and NFC, and counted after that', () => {
    const name = `\u2003${'e\u0301'.repeat(50)}  `;
    assert.deepEqual(inputs['room:create']?.parse({ name }), { name: '\u00e9'.repeat(50), kind: 'public' });
  });

  test('an error names the field of each room', () => {
    const rooms = Array.from({ length: 200 }, () => ({ roomId: 'x', seq: -1 }));
    const { error } = inputs['rooms:sync']!.safeParse({ rooms });
    const issues = issuesOf(error!);
    assert.equal(issues.length, 20);
    assert.deepEqual(
      issues.slice(0, 3).map(({ path }) => path),
      ['rooms.0.roomId', 'rooms.0.seq', 'rooms.1.roomId'],
    );
  });
});
