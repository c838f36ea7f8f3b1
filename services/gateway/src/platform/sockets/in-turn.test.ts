import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inTurn } from './in-turn.ts';
import type { ChatSocket } from './types.ts';

test('what follows an answer is done in the order it was asked for, whenever the answers come', async () => {
  /** Of each request: after how many turns of the event loop its answer comes (0: it is there), and whether it is a yes. */
  const requests = fc.array(fc.record({ after: fc.nat(4), isYes: fc.boolean(), pause: fc.nat(2) }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const socket = {} as ChatSocket;
      const done: number[] = [];
      async function request(index: number, after: number, isYes: boolean): Promise<void> {
        const answer = after === 0 && isYes ? undefined : answerAfter(after, isYes);
        await inTurn(socket, answer);
        done.push(index);
      }
      const outcomes: Promise<void>[] = [];
      for (const [index, { after, isYes, pause }] of all.entries()) {
        outcomes.push(request(index, after, isYes).catch(() => {}));
        await turns(pause);
      }
      await Promise.all(outcomes);
      assert.deepEqual(
        done,
        [...all.keys()].filter((index) => all[index]?.isYes),
      );
    }),
    { numRuns: 200 },
  );
});

async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await new Promise(setImmediate);
}

async function answerAfter(after: number, isYes: boolean): Promise<void> {
  await turns(after);
  if (!isYes) throw new Error('no');
}
