import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { durationSetting, integerOrOffSetting, integerSetting, limits, rateSetting } from './index.ts';

describe('forms of the environment', () => {
  test('rates', () => {
    const schema = rateSetting('10/5s');
    assert.deepEqual(schema.parse('3/250ms'), { limit: 3, windowMs: 250 });
    assert.deepEqual(schema.parse(' 20/1s '), { limit: 20, windowMs: 1000 });
    assert.deepEqual(schema.parse('10/10m'), { limit: 10, windowMs: 600_000 });
    assert.deepEqual(schema.parse('1/1h'), { limit: 1, windowMs: 3_600_000 });
    assert.equal(schema.parse('off'), null);
    assert.equal(schema.parse('OFF'), null);
    for (const bad of [
      '10',
      '10/',
      '/5s',
      '0/5s',
      '10/0s',
      '10/5',
      '10/5d',
      '10/5S',
      '-1/5s',
      '1.5/5s',
      '10 / 5s',
      '10/600h',
      '10/5s,',
      'no',
    ]) {
      assert.equal(schema.safeParse(bad).success, false, bad);
    }
  });

  test('durations', () => {
    const schema = durationSetting('30s');
    assert.equal(schema.parse('1ms'), 1);
    assert.equal(schema.parse('90s'), 90_000);
    assert.equal(schema.parse('off'), null);
    for (const bad of ['30', 's', '0s', '-1s', '1.5s', '1d', '9999999999h']) {
      assert.equal(schema.safeParse(bad).success, false, bad);
    }
  });

  test('durations beyond what a timer can hold, where it is no timer', () => {
    const ninetyDays = 90 * 86_400_000;
    assert.equal(durationSetting('30s').safeParse('2160h').success, false);
    const schema = durationSetting('2160h', ninetyDays);
    assert.equal(schema.parse(undefined), ninetyDays);
    assert.equal(schema.safeParse('2161h').success, false);
  });

  test('whole numbers', () => {
    const schema = integerSetting(5, { min: 0, max: 10 });
    assert.equal(schema.parse('0'), 0);
    assert.equal(schema.parse('10'), 10);
    for (const bad of ['11', '-1', '1.5', '1e1', '0x1', 'off', 'NaN', 'Infinity', '9'.repeat(30)]) {
      assert.equal(schema.safeParse(bad).success, false, bad);
    }
    assert.equal(integerOrOffSetting(5).parse('off'), null);
    assert.equal(integerOrOffSetting(5).safeParse('0').success, false);
  });

  test('unset and empty are the default', () => {
    for (const schema of [integerSetting(5), integerOrOffSetting(5)]) {
      for (const unset of [undefined, '', '  ']) assert.equal(schema.parse(unset), 5);
    }
    assert.deepEqual(rateSetting('10/5s').parse(undefined), { limit: 10, windowMs: 5000 });
    assert.equal(durationSetting('30s').parse(''), 30_000);
  });
});

describe('limits', () => {
  for (const [name, { default: byDefault, schema, unit, meaning }] of Object.entries(limits)) {
    test(`${name} can be read as its default is written`, () => {
      assert.deepEqual(schema.parse(undefined), schema.parse(byDefault));
      assert.ok(unit.length > 0 && meaning.endsWith('.'));
      assert.equal(schema.safeParse('nonsense').success, false);
    });
  }
});
