import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, describe, test } from 'node:test';
import { BINARY, CLOSE, encodeFrame, PING, TEXT, type Frame } from '../support/raw-websocket.ts';
import { attacker, dealtWith, startVictim } from './victim.ts';

// Bytes below Engine.IO: WebSocket frames that are too big, against RFC 6455, or no frames at all.

const LIMIT = 50_000;
const victim = await startVictim({ after }, { MAX_FRAME_BYTES: String(LIMIT), MAX_CONNECTIONS_PER_USER: 'off' });
afterEach(() => victim.unharmed());

const frames = (...list: Frame[]) => Buffer.concat(list.map((frame) => encodeFrame(frame)));
const request = (size: number) => `42["no:such",${JSON.stringify('x'.repeat(size))}]`;

/** Bytes without any order that are the same in every run. */
function garbage(length: number, seed: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

describe('what breaks the protocol is cut off', () => {
  const announces = (length: bigint) => {
    const head = Buffer.alloc(14);
    head.set([0x81, 0xff]);
    head.writeBigUInt64BE(length, 2);
    return head;
  };
  const attacks: Record<string, Buffer> = {
    'a frame over MAX_FRAME_BYTES': frames({ opcode: TEXT, payload: request(LIMIT) }),
    'a binary frame over MAX_FRAME_BYTES': frames({ opcode: BINARY, payload: Buffer.alloc(LIMIT + 1) }),
    'a frame that says it is 2^40 bytes long': announces(2n ** 40n),
    'a frame that says it is 2^63 - 1 bytes long': announces(2n ** 63n - 1n),
    'fragments that are too big together': frames(
      { opcode: TEXT, payload: 'x'.repeat(LIMIT / 2), fin: false },
      { opcode: 0, payload: 'x'.repeat(LIMIT / 2), fin: false },
      { opcode: 0, payload: 'x'.repeat(LIMIT / 2), fin: false },
    ),
    'a frame without a mask': frames({ opcode: TEXT, payload: '42["room:list",{}]', masked: false }),
    'an unknown opcode': frames({ opcode: 3, payload: 'x' }),
    'an unknown control opcode': frames({ opcode: 0xb, payload: 'x' }),
    'reserved bits': frames({ opcode: TEXT, payload: 'x', reserved: 7 }),
    'a compressed frame, though compression is off': frames({ opcode: TEXT, payload: 'x', reserved: 4 }),
    'a ping of more than 125 bytes': frames({ opcode: PING, payload: 'x'.repeat(126) }),
    'a ping in fragments': frames({ opcode: PING, payload: 'x', fin: false }),
    'a continuation of nothing': frames({ opcode: 0, payload: 'x' }),
    'a new message within another': frames(
      { opcode: TEXT, payload: '42["room', fin: false },
      { opcode: TEXT, payload: ':list",{}]' },
    ),
    'text that is no UTF-8': frames({ opcode: TEXT, payload: Buffer.from([0x34, 0x32, 0xc3, 0x28]) }),
    'text that ends within a character': frames({ opcode: TEXT, payload: Buffer.from([0x34, 0xe2, 0x82]) }),
    'a close frame of one byte': frames({ opcode: CLOSE, payload: 'x' }),
    'a close frame with a code that nobody may send': frames({ opcode: CLOSE, payload: Buffer.from([0x03, 0xed]) }),
    'bytes without any order': Buffer.concat([Buffer.from([0xff]), garbage(200_000, 'frames')]),
    'HTTP once more': Buffer.from('GET /api/rooms HTTP/1.1\r\nHost: x\r\n\r\n'),
  };
  for (const [name, bytes] of Object.entries(attacks)) {
    test(name, async (t) => {
      const socket = await attacker(t, victim);
      socket.write(bytes);
      assert.equal(await dealtWith(socket), 'closed');
    });
  }
});

describe('what is odd but allowed is borne', () => {
  const letters = Array.from(`4277["room:list",{"limit":1}]`);
  const attacks: Record<string, Buffer> = {
    'a request in fragments of a letter, with empty ones and pings between them': frames(
      ...letters.flatMap((letter, at): Frame[] => [
        { opcode: at === 0 ? TEXT : 0, payload: letter, fin: false },
        { opcode: 0, payload: '', fin: false },
        { opcode: PING, payload: 'x' },
      ]),
      { opcode: 0, payload: '' },
    ),
    '20,000 pings': Buffer.concat([
      frames(...Array.from({ length: 20_000 }, (): Frame => ({ opcode: PING, payload: 'x'.repeat(125) }))),
      frames({ opcode: TEXT, payload: '4277["room:list",{"limit":1}]' }),
    ]),
    'pongs that nobody asked for': frames(
      ...Array.from({ length: 1_000 }, (): Frame => ({ opcode: 10, payload: 'x' })),
      { opcode: TEXT, payload: '4277["room:list",{"limit":1}]' },
    ),
    'a request of nearly MAX_FRAME_BYTES': frames(
      { opcode: TEXT, payload: request(LIMIT - 100) },
      { opcode: TEXT, payload: '4277["room:list",{"limit":1}]' },
    ),
  };
  for (const [name, bytes] of Object.entries(attacks)) {
    test(name, async (t) => {
      const socket = await attacker(t, victim);
      socket.write(bytes);
      assert.match(await socket.packet('4377['), /"ok":true/);
    });
  }
});

test('a message in fragments without end', async (t) => {
  const socket = await attacker(t, victim);
  socket.write(frames({ opcode: TEXT, payload: '42["x', fin: false }));
  for (let part = 0; part < 20_000; part += 1) socket.write(frames({ opcode: 0, fin: false }));
  socket.write(frames({ opcode: 0, payload: '"]' }));
  assert.match(await dealtWith(socket), /closed|lives/);
});

test('half a frame, and then nothing', async (t) => {
  const socket = await attacker(t, victim);
  socket.write(encodeFrame({ opcode: TEXT, payload: request(1_000) }).subarray(0, 500));
  await victim.unharmed();
  socket.close();
});

test('a request byte by byte', async (t) => {
  const socket = await attacker(t, victim);
  for (const byte of encodeFrame({ opcode: TEXT, payload: `4277["room:list",{"limit":1}]` })) {
    socket.write(Buffer.from([byte]));
  }
  assert.match(await socket.packet('4377['), /"ok":true/);
});
