import { roomUpdatedEvent, type Room } from '@parley/protocol';
import { eventually, type Owner } from '@parley/test-support';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { encodeEvent, type EncodedEvent } from './encode.ts';
import { window, type GatheringConnection } from './gather.ts';
import { tell } from './tell.ts';
import { serveSockets } from './testing/serve.ts';
import type { ChatServer, ChatSocket } from './types.ts';

test('while a window is open answers wait as events do, in their order', async (t) => {
  openWindow(t);
  const { socket, io, frames } = await join(t);
  tell(socket, event(1));
  socket.conn.write('2["answer",2]');
  tell(socket, event(3));
  (io as unknown as { emit(name: string, number: number): void }).emit('broadcast', 4);
  assert.equal(bufferOf(socket).length, 4);
  await eventually(() => assert.deepEqual(frames, [onWire(1), '42["answer",2]', onWire(3), '42["broadcast",4]']));
});

test('what is long or binary is written at once, behind what was gathered', async (t) => {
  openWindow(t);
  const { socket, frames } = await join(t);
  const long = `2["answer","${'x'.repeat(10_000)}"]`;
  socket.conn.write('2["answer",1]');
  socket.conn.write(long);
  assert.equal(bufferOf(socket).length, 0);
  await eventually(() => assert.deepEqual(frames, ['42["answer",1]', `4${long}`]));
  tell(socket, event(2));
  socket.conn.write(Buffer.from([1]));
  assert.equal(bufferOf(socket).length, 0);
  await eventually(() => assert.deepEqual(frames.slice(2), [onWire(2), 'binary 1']));
});

test('much is written at once when it has come together', async (t) => {
  openWindow(t);
  const { socket, frames } = await join(t);
  const expected = Array.from({ length: 100 }, (_, number) => `42["answer",${number}]`);
  const waiting = expected.map((packet) => {
    socket.conn.write(packet.slice(1));
    return bufferOf(socket).length;
  });
  assert.deepEqual([waiting[63], waiting[64]], [64, 0]);
  await eventually(() => assert.deepEqual(frames, expected));
});

test('a session that ends in a window takes what was gathered with it', async (t) => {
  openWindow(t);
  const { socket, client, frames } = await join(t);
  tell(socket, event(1));
  socket.conn.write('2["answer",2]');
  const closed = once(client, 'close');
  socket.conn.close();
  await closed;
  assert.deepEqual(frames, [onWire(1), '42["answer",2]']);
});

test('a calm gateway writes answers at once', async (t) => {
  const { socket } = await join(t);
  socket.conn.write('2["answer",1]');
  assert.equal(bufferOf(socket).length, 0);
});

function openWindow(t: TestContext): void {
  t.mock.getter(window, 'ms', () => 30);
}

const bufferOf = (socket: ChatSocket): unknown[] => (socket.conn as unknown as GatheringConnection).writeBuffer;

const event = (number: number): EncodedEvent => encodeEvent(roomUpdatedEvent, { room: { topic: `${number}` } as Room });

const onWire = (number: number): string => `4${event(number).data}`;

async function join(
  owner: Owner,
): Promise<{ io: ChatServer; socket: ChatSocket; client: WebSocket; frames: string[] }> {
  const { io, port, joined } = await serveSockets(owner);
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  client.binaryType = 'arraybuffer';
  owner.after(async () => client.close());
  await once(client, 'open');
  const frames: string[] = [];
  const connected = Promise.withResolvers<void>();
  client.addEventListener('message', (message) => {
    const data = message.data as string | ArrayBuffer;
    const text = typeof data === 'string' ? data : `binary ${new Uint8Array(data).join()}`;
    if (text.startsWith('40')) connected.resolve();
    else if (!text.startsWith('0')) frames.push(text);
  });
  client.send('40');
  const socket = await joined;
  socket.data.isEnded = false;
  await connected.promise;
  return { io, socket, client, frames };
}
