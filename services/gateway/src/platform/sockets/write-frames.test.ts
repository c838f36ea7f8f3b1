import { roomUpdatedEvent, type Room } from '@parley/protocol';
import { eventually, type Owner } from '@parley/test-support';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { encodeEvent, type EncodedEvent } from './encode.ts';
import { tell } from './tell.ts';
import { serveSockets } from './testing/serve.ts';
import type { ChatServer, ChatSocket } from './types.ts';
import { writeFrames, type FramesConnection } from './write-frames.ts';

test('what is told comes in its order, alone and in bursts, each event in a frame of its own', async (t) => {
  const { socket, frames } = await join(t);
  tell(socket, event(0));
  await eventually(() => assert.deepEqual(frames, [onWire(0)]));
  for (let number = 1; number < 100; number += 1) tell(socket, event(number));
  await eventually(() =>
    assert.deepEqual(
      frames,
      Array.from({ length: 100 }, (_, number) => onWire(number)),
    ),
  );
});

test('it keeps its place among what others write: answers, broadcasts, binary', async (t) => {
  const { socket, io, frames } = await join(t);
  const expected: string[] = [];
  for (let number = 0; number < 40; number += 4) {
    tell(socket, event(number));
    socket.conn.write(`2["answer",${number + 1}]`);
    tell(socket, event(number + 2));
    (io as unknown as { emit(name: string, number: number): void }).emit('broadcast', number + 3);
    expected.push(onWire(number), `42["answer",${number + 1}]`, onWire(number + 2), `42["broadcast",${number + 3}]`);
  }
  socket.conn.write(Buffer.from([1]));
  tell(socket, event(41));
  await eventually(() => assert.deepEqual(frames, [...expected, 'binary 1', onWire(41)]));
});

test('it writes at once and leaves nothing, or does nothing', async (t) => {
  const { socket, frames } = await join(t);
  const connection = socket.conn as unknown as FramesConnection;
  const isWritten = (packets: FramesConnection['writeBuffer']): boolean => {
    connection.writeBuffer = [...packets];
    const wrote = writeFrames(connection);
    assert.deepEqual(connection.writeBuffer, wrote ? [] : packets);
    connection.writeBuffer = [];
    return wrote;
  };
  assert.ok(isWritten([]));
  assert.ok(isWritten([event(1), event(2)]));
  await eventually(() => assert.deepEqual(frames, [onWire(1), onWire(2)]));

  assert.ok(!isWritten([event(3), {}]), 'a packet that is not encoded');
  assert.ok(!isWritten(Array.from({ length: 1_000 }, (_, number) => event(number))), 'too much for one piece');
  connection.transport.writable = false;
  assert.ok(!isWritten([event(4)]), 'engine.io is writing');
  connection.transport.writable = true;

  const tcp = connection.transport.socket?._socket;
  assert.ok(tcp);
  tcp.cork();
  tcp.write('');
  assert.ok(isWritten([event(5)]));
  assert.ok(tcp.writableLength > 0);
  assert.ok(!isWritten([event(6)]), 'what was written before is not taken yet');
  tcp.uncork();
  await eventually(() => assert.deepEqual(frames.slice(2), [onWire(5)]));

  socket.conn.close();
  assert.ok(!isWritten([event(7)]), 'the session closes');
});

const event = (number: number): EncodedEvent =>
  encodeEvent(roomUpdatedEvent, { room: { topic: `${number} ${'x'.repeat(60)}` } as Room });

const onWire = (number: number): string => `4${event(number).data}`;

async function join(owner: Owner): Promise<{ io: ChatServer; socket: ChatSocket; frames: string[] }> {
  const { io, port, joined } = await serveSockets(owner);
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  client.binaryType = 'arraybuffer';
  owner.after(async () => client.close());
  await once(client, 'open');
  client.send('40');
  const socket = await joined;
  socket.data.isEnded = false;
  const frames: string[] = [];
  client.addEventListener('message', (message) => {
    const data = message.data as string | ArrayBuffer;
    const text = typeof data === 'string' ? data : `binary ${new Uint8Array(data).join()}`;
    if (!text.startsWith('0') && !text.startsWith('40')) frames.push(text);
  });
  return { io, socket, frames };
}
