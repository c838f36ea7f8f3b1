import type { SessionEndingCode } from '@parley/protocol';
import { eventually, type Owner } from '@parley/test-support';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { endSession } from './ending.ts';
import { serveSockets } from './testing/serve.ts';

// What is on the wire when a session ends decides whether libraries come back, so it is looked at packet by packet.

const SEPARATOR = '\u001E';
const CLOSE = '1';
const DISCONNECT = '41';

test('over long-polling, an end to come back from has no CLOSE packet, and the next poll is 400', async (t) => {
  const { socket, poll } = await joinByPolling(t);
  endSession(socket, 'SERVER_DRAIN', 'bye', 5);
  assert.deepEqual((await poll()).packets, [ended('SERVER_DRAIN', 'bye', { reconnect: true, afterMs: 5 })]);
  assert.equal((await poll()).status, 400);
});

test('so it is with a poll that waits, and with a full buffer', async (t) => {
  const waiting = await joinByPolling(t);
  const answer = waiting.poll();
  await eventually(() => assert.ok(waiting.socket.conn.transport.writable));
  endSession(waiting.socket, 'SERVER_DRAIN', 'bye');
  assert.deepEqual((await answer).packets, [ended('SERVER_DRAIN', 'bye', { reconnect: true })]);
  assert.equal((await waiting.poll()).status, 400);

  const full = await joinByPolling(t);
  for (let i = 0; i < 40; i += 1) full.socket.conn.write(`2["event",${i}]`);
  endSession(full.socket, 'SERVER_DRAIN', 'bye');
  full.socket.conn.write('2["too late"]');
  const answers = [await full.poll(), await full.poll(), await full.poll()].flatMap(({ packets }) => packets);
  assert.equal(answers.length, 41);
  assert.ok(!answers.includes(CLOSE));
  assert.equal((await full.poll()).status, 400);
});

test('over long-polling, an end to stay away from has DISCONNECT', async (t) => {
  const { socket, poll } = await joinByPolling(t);
  endSession(socket, 'BANNED', 'bye');
  assert.deepEqual((await poll()).packets, [ended('BANNED', 'bye', { reconnect: false }), DISCONNECT]);
});

test('a WebSocket ends without a close frame after an end to come back from', async (t) => {
  const { socket, frames, closed } = await joinByWebSocket(t);
  endSession(socket, 'SERVER_DRAIN', 'bye');
  const [{ code }] = (await closed) as [{ code: number }];
  assert.equal(code, 1006);
  assert.deepEqual(frames, [ended('SERVER_DRAIN', 'bye', { reconnect: true })]);
});

test('a WebSocket stays until its client has handled DISCONNECT, but not for ever', async (t) => {
  const { socket, frames, closed } = await joinByWebSocket(t);
  endSession(socket, 'BANNED', 'bye');
  await eventually(() => assert.deepEqual(frames, [ended('BANNED', 'bye', { reconnect: false }), DISCONNECT]));
  assert.equal(socket.connected, false);
  assert.equal(socket.conn.readyState, 'open');
  const [{ wasClean }] = (await closed) as [{ wasClean: boolean }];
  assert.ok(wasClean);
});

function ended(code: SessionEndingCode, message: string, more: object): string {
  return `42["session:ended",${JSON.stringify({ code, message, ...more })}]`;
}

async function joinByPolling(owner: Owner) {
  const { port, joined } = await serveSockets(owner);
  const handshake = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`);
  const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };
  const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  const poll = async () => {
    const response = await fetch(url);
    return { status: response.status, packets: (await response.text()).split(SEPARATOR) };
  };
  await (await fetch(url, { method: 'POST', body: '40' })).text();
  await poll(); // the answer to CONNECT
  return { socket: await joined, poll };
}

async function joinByWebSocket(owner: Owner) {
  const { port, joined } = await serveSockets(owner);
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  owner.after(async () => webSocket.close());
  const frames: string[] = [];
  webSocket.addEventListener('message', ({ data }: { data: string }) => frames.push(data));
  const closed = once(webSocket, 'close');
  await eventually(() => assert.equal(frames.length, 1));
  webSocket.send('40');
  await eventually(() => assert.equal(frames.length, 2));
  frames.length = 0;
  return { socket: await joined, frames, closed };
}
