import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, parseCommandStats } from './stores.ts';

test('reads the calls by command, of subcommands too', () => {
  const text = [
    '# Commandstats',
    'cmdstat_spublish:calls=12,usec=34,usec_per_call=2.83,rejected_calls=0,failed_calls=0',
    'cmdstat_client|setname:calls=3,usec=3,usec_per_call=1.00,rejected_calls=0,failed_calls=0',
    '',
  ].join('\r\n');
  assert.deepEqual(parseCommandStats(text), { spublish: 12, 'client|setname': 3 });
});

test('tells what grew, and what is new', () => {
  assert.deepEqual(difference({ get: 2, ping: 5 }, { get: 7, ping: 5, set: 1 }), { get: 5, set: 1 });
});
