import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measuredCosts, measuredRuns } from './measured.ts';
import { cpuOf, deliveriesPerWrite, gatewaysHearing, needsOf, PLANNED_SHARE, type Load } from './model.ts';

const load: Load = { connections: 100_000, roomSize: 50, sendsPerSocket: 1 / 50, connectsPerSecond: 100 };

test('what was measured at 1, 2, 3 and 4 gateways is what the model says, within a factor of two and a bit', () => {
  for (const { gateways, clients, rooms, perSecond, cores } of measuredRuns) {
    const roomSize = clients / rooms;
    const sendsPerSocket = perSecond / roomSize / clients;
    const cpu = cpuOf(
      { connections: clients, roomSize, sendsPerSocket, connectsPerSecond: 0 },
      gateways,
      measuredCosts,
    );
    const said = [cpu.gateways, cpu.haproxy, cpu.redis, cpu.postgres];
    for (const [part, measured] of cores.entries()) {
      // Both stores have some work of their own, which does not count where there is much.
      const slack = part >= 2 ? 0.06 : 0;
      const off = ((said[part] as number) + slack) / (measured + slack);
      assert.ok(off > 1 / 2.2 && off < 2.2, `part ${part} at ${perSecond}/s on ${gateways}: ${off}`);
    }
  }
});

test('events share a write the more, the more often a socket is told', () => {
  assert.equal(deliveriesPerWrite(0), 1);
  assert.ok(Math.abs(deliveriesPerWrite(1) - 1) < 0.02);
  assert.ok(deliveriesPerWrite(100) > 3);
});

test('a room is heard on at most all gateways, and on as many as it has sockets', () => {
  assert.equal(gatewaysHearing(1, 50), 1);
  assert.ok(gatewaysHearing(4, 50) > 3.99);
  assert.ok(gatewaysHearing(1_000, 2) < 2);
});

test('a cluster is large enough, and one gateway less is not', () => {
  const { gateways } = needsOf(load, measuredCosts);
  assert.ok(cpuOf(load, gateways, measuredCosts).gateways <= gateways * PLANNED_SHARE);
  assert.ok(cpuOf(load, gateways - 1, measuredCosts).gateways > (gateways - 1) * PLANNED_SHARE);
});

test('an idle crowd is bounded by connections of a gateway', () => {
  const idle = { ...load, sendsPerSocket: 0, connectsPerSecond: 0 };
  assert.equal(needsOf(idle, measuredCosts).gateways, 5);
});
