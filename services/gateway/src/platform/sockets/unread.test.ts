import { roomUpdatedEvent, type Room } from '@parley/protocol';
import { deferred, eventually, type Owner } from '@parley/test-support';
import type { Server as Engine } from 'engine.io';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { encodeEvent } from './encode.ts';
import { tell } from './tell.ts';
import { serveSockets, upgradeTcp } from './testing/serve.ts';
import type { ChatSocket } from './types.ts';
import { hasEnoughUnread } from './unread.ts';

// A client of which nothing is read but what the test asks for.

const SMALL = encodeEvent(roomUpdatedEvent, { room: { topic: 'x'.repeat(1_000) } as Room });

test('a burst of many small events is no reason to end a session', async (t) => {
  const { socket, client } = await joinAndPause(t);
  for (let count = 0; count < 8_000; count += 1) tell(socket, SMALL);
  await turn();
  assert.equal(socket.data.isEnded, false);
  assert.ok(hasEnoughUnread(socket));
  client.resume();
  await eventually(() => assert.equal(hasEnoughUnread(socket), false));
  await eventually(() => assert.equal(socket.conn.transport.writable, true));
});

test('over the bound what is queued is dropped, and the last word takes its place', async (t) => {
  const { socket, client, received } = await joinAndPause(t);
  await fillKernel(socket);
  for (let count = 0; count < 20_000; count += 1) tell(socket, SMALL);
  await turn();
  assert.equal(socket.data.isEnded, true);
  const { bufferedAmount } = (socket.conn.transport as unknown as { socket: { bufferedAmount: number } }).socket;
  assert.ok(bufferedAmount > 0 && bufferedAmount < 300_000, `${bufferedAmount} bytes cannot be dropped`);
  const { writeBuffer } = socket.conn as unknown as { writeBuffer: { data: string }[] };
  assert.deepEqual(
    writeBuffer.map(({ data }) => data.slice(0, 18)),
    ['2["session:ended",'],
  );
  for (let count = 0; count < 100; count += 1) tell(socket, SMALL);
  await turn();
  assert.equal(writeBuffer.length, 1);
  client.resume();
  await once(client, 'close');
  const text = received();
  assert.ok(text.length < 15_000_000);
  assert.match(text.slice(-120), /"session:ended",\{"code":"SLOW_CONSUMER".*"reconnect":true\}\]$/);
});

test('who never reads again is gone when the heartbeat is over', async (t) => {
  const { socket, engine } = await joinAndPause(t, { pingIntervalMs: 300, pingTimeoutMs: 300 });
  await fillKernel(socket);
  const tcp = (socket.conn.transport as unknown as { socket: { _socket: Socket } }).socket._socket;
  for (let count = 0; count < 20_000; count += 1) tell(socket, SMALL);
  await turn();
  assert.equal(socket.data.isEnded, true);
  await eventually(() => assert.equal(engine.clientsCount, 0));
  await eventually(() => assert.ok(tcp.destroyed));
});

/** Until the system takes no more for the client. */
async function fillKernel(socket: ChatSocket): Promise<void> {
  const takes = (): boolean => socket.conn.transport.writable;
  for (let looks = 0; looks < 3; looks = takes() ? 0 : looks + 1) {
    if (takes()) for (let count = 0; count < 4_000; count += 1) tell(socket, SMALL);
    await turn();
    assert.equal(socket.data.isEnded, false);
  }
}

/** Past the window in which what is told is gathered. */
async function turn(): Promise<void> {
  const { promise, resolve } = deferred();
  setTimeout(resolve, 60);
  await promise;
}

async function joinAndPause(
  owner: Owner,
  heartbeat?: { pingIntervalMs: number; pingTimeoutMs: number },
): Promise<{ socket: ChatSocket; engine: Engine; client: Socket; received: () => string }> {
  const { engine, joined, port } = await serveSockets(owner, heartbeat);
  const { client } = await upgradeTcp(port);
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  // "40" in a masked text frame, with a mask of zeros.
  client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]));
  const socket = await joined;
  socket.data.isEnded = false;
  client.pause();
  return { socket, engine, client, received: () => Buffer.concat(chunks).toString('latin1') };
}
