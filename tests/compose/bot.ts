import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '@parley/protocol';
import { call, callOk } from '../support/http.ts';
import { token } from '../support/tokens.ts';

const PAUSE_MS = 50;

/**
 * Talks in a room over REST for as long as the work takes. What is not accepted for a passing reason is tried again
 * under the same `clientMsgId`, as the contract says.
 *
 * @returns its last message, and how often it had to try again
 */
export async function talkDuring(
  work: Promise<unknown>,
  { url, roomId }: { url: string; roomId: string },
): Promise<{ last: Message; retries: number }> {
  const bot = { token: await token('bot'), params: { id: roomId } };
  const worked = new AbortController();
  let retries = 0;

  const say = async (content: string): Promise<Message> => {
    const body = { content, clientMsgId: randomUUID() };
    for (;;) {
      const answer = await call({ url }, 'roomMessagesPost', { ...bot, body }).catch(() => undefined);
      if (answer?.status === 201 || answer?.status === 200) return (answer.json() as { message: Message }).message;
      assert.ok(answer === undefined || answer.status >= 502, answer?.text);
      retries += 1;
      await delay(PAUSE_MS);
    }
  };
  const talk = async (): Promise<Message> => {
    await callOk({ url }, 'roomJoinPost', { ...bot, body: {} });
    for (let number = 1; ; number += 1) {
      const message = await say(`Line ${number}`);
      if (worked.signal.aborted) return message;
      await delay(PAUSE_MS);
    }
  };
  const [last] = await Promise.all([talk(), work.finally(() => worked.abort())]);
  return { last, retries };
}
