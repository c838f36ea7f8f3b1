import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatherWindow } from './gather-window.ts';

interface Told {
  packets: number;
  sockets: number;
  /** Of every window's end. */
  lateMs?: number;
}

/** The windows after a second in which `sockets` were told `packets` in all, evenly. */
function windowAfter({ packets, sockets, lateMs = 0 }: Told): GatherWindow {
  let now = 0;
  const window = new GatherWindow(() => now);
  const countedIn = new Map<number, number>();
  for (let index = 0; index < packets; index += 1) {
    now = (index / packets) * 1_000;
    void window.ms;
    const socket = index % sockets;
    window.count(countedIn.get(socket) !== window.period);
    countedIn.set(socket, window.period);
    if (index % 100 === 0) window.ended(lateMs);
  }
  now = 1_001;
  return window;
}

const after = (told: Told): number => windowAfter(told).ms;

describe('GatherWindow', () => {
  test('nothing waits while there is little to do', () => {
    assert.equal(after({ packets: 1_900, sockets: 10 }), 0);
  });

  test('it grows with the load, up to its bound', () => {
    const half = after({ packets: 9_000, sockets: 100 });
    assert.ok(half > 8 && half < 16, `${half}`);
    assert.equal(after({ packets: 100_000, sockets: 1_000 }), 24);
  });

  test('it grows further where windows end late, as no processor is free', () => {
    const told = { packets: 9_000, sockets: 100 };
    const usual = after(told);
    assert.equal(after({ ...told, lateMs: 0.8 }), usual);
    const late = after({ ...told, lateMs: 2.5 });
    assert.ok(late > usual && late < 40, `${late}`);
    assert.ok(after({ ...told, lateMs: 30 }) >= 36);
    assert.equal(after({ packets: 1_900, sockets: 10, lateMs: 30 }), 0);
    assert.equal(after({ packets: 20_000, sockets: 5_000, lateMs: 30 }), 0);
  });

  test('a window that ended late once is forgotten', () => {
    let now = 0;
    const window = new GatherWindow(() => now);
    const ms = Array.from({ length: 12 }, (_, period) => {
      for (let index = 0; index < 2_000; index += 1) window.count(index < 10);
      window.ended(period === 0 ? 6 : 0);
      now += 250;
      return window.ms;
    });
    assert.ok((ms[0] ?? 0) > (ms[1] ?? 0) && (ms[1] ?? 0) > (ms[11] ?? 0), ms.join(' '));
    assert.equal(ms[11], after({ packets: 8_000, sockets: 100 }));
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
