import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorLimit, edgesFor, requireDescriptors } from './descriptors.ts';

test('an HAProxy takes two descriptors for each socket', () => {
  assert.equal(edgesFor(1_000, 20_000), 1);
  assert.equal(edgesFor(9_000, 20_000), 1);
  assert.equal(edgesFor(10_000, 20_000), 2);
  assert.equal(edgesFor(40_000, 20_000), 5);
  assert.equal(edgesFor(1_000_000, Infinity), 1);
});

test('a run that would run out of descriptors is refused, with the process that would', () => {
  const cluster = { sockets: 10_000, replicas: 3, edges: 2 };
  requireDescriptors({ sockets: 10_000, cluster }, 20_000);
  requireDescriptors({ sockets: 1_000_000 }, Infinity);
  assert.throws(() => requireDescriptors({ sockets: 10_000, cluster }, 10_000), /k6 needs 10500.*--shard/s);
  assert.throws(() => requireDescriptors({ sockets: 10, cluster: { ...cluster, edges: 1 } }, 20_000), /HAProxy needs/);
  assert.throws(
    () => requireDescriptors({ sockets: 10, cluster: { ...cluster, edges: 3, replicas: 1 } }, 10_300),
    /a gateway/,
  );
});

test('knows the limit of this machine', () => {
  assert.ok(descriptorLimit() > 0);
});
