import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatherWindow } from './gather-window.ts';

/** The windows after a second in which `sockets` were told `packets` in all, evenly. */
function windowAfter({ packets, sockets }: { packets: number; sockets: number }): GatherWindow {
  let now = 0;
  const window = new GatherWindow(() => now);
  const countedIn = new Map<number, number>();
  for (let index = 0; index < packets; index += 1) {
    now = (index / packets) * 1_000;
    void window.ms;
    const socket = index % sockets;
    window.count(countedIn.get(socket) !== window.period);
    countedIn.set(socket, window.period);
  }
  now = 1_001;
  return window;
}

const after = (told: { packets: number; sockets: number }): number => windowAfter(told).ms;

describe('GatherWindow', () => {
  test('nothing waits while there is little to do', () => {
    assert.equal(after({ packets: 1_900, sockets: 10 }), 0);
  });

  test('it grows with the load, up to its bound', () => {
    const half = after({ packets: 9_000, sockets: 100 });
    assert.ok(half > 8 && half < 16, `${half}`);
    assert.equal(after({ packets: 100_000, sockets: 1_000 }), 24);
  });

  test('nothing waits where a socket is told too rarely to win anything', () => {
    assert.equal(after({ packets: 20_000, sockets: 4_000 }), 0);
  });

  test('what is for all of them is gathered all the same, by the load', () => {
    assert.equal(windowAfter({ packets: 40_000, sockets: 4_000 }).forAllMs, 24);
    assert.equal(windowAfter({ packets: 1_900, sockets: 10 }).forAllMs, 0);
  });

  test('it ends with the load', () => {
    let now = 0;
    const window = new GatherWindow(() => now);
    for (let index = 0; index < 10_000; index += 1) window.count(index < 10);
    now = 300;
    assert.deepEqual([window.forAllMs, window.ms], [24, 24]);
    now = 600;
    assert.deepEqual([window.forAllMs, window.ms], [0, 0]);
  });
});
