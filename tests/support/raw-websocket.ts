import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { deferred, within } from '@parley/test-support';
import { PacketLog, SOCKETS, type Transport } from './packets.ts';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;

export interface Frame {
  opcode: number;
  payload?: Buffer | string;
  /** Default true. */
  fin?: boolean;
  /** Clients have to mask. Default true. */
  masked?: boolean;
  /** The three reserved bits, as a number up to 7. Default 0. */
  reserved?: number;
}

/** The bytes of one WebSocket frame (RFC 6455, 5.2), a forbidden one too. */
export function encodeFrame({ opcode, payload = '', fin = true, masked = true, reserved = 0 }: Frame): Buffer {
  const data = Buffer.from(payload);
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (data.length < 126) head.push(mask | data.length);
  else if (data.length < 65_536) head.push(mask | 126, data.length >> 8, data.length & 0xff);
  else head.push(mask | 127, 0, 0, 0, 0, ...lengthBytes(data.length));
  if (!masked) return Buffer.concat([Buffer.from(head), data]);
  const key = randomBytes(4);
  const hidden = Buffer.from(data);
  for (let at = 0; at < hidden.length; at += 1) hidden[at] = (hidden[at] ?? 0) ^ (key[at % 4] ?? 0);
  return Buffer.concat([Buffer.from(head), key, hidden]);
}

function lengthBytes(length: number): number[] {
  return [(length >> 24) & 0xff, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
}

/** A WebSocket of which every byte is in the test's hands. It answers the pings of Engine.IO, and nothing else. */
export class RawWebSocket implements Transport {
  /** Resolves once the connection is gone, with the code of the server's close frame, if it sent one. */
  readonly closed: Promise<number | undefined>;
  /** False leaves the pings unanswered. */
  answersPings = true;
  readonly #log = new PacketLog();
  readonly #socket: Duplex;
  #buffer: Buffer;
  #closeCode: number | undefined;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#buffer = head;
    const closed = deferred<number | undefined>();
    this.closed = closed.promise;
    socket.on('error', () => {}); // a reset is one way of being closed
    socket.on('close', () => {
      closed.resolve(this.#closeCode);
      this.#log.end();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#read();
    });
    this.#read();
  }

  /** Text messages so far: Engine.IO packets. */
  get packets(): readonly string[] {
    return this.#log.items;
  }

  /** One Engine.IO packet. */
  send(packet: string): void {
    this.write(encodeFrame({ opcode: TEXT, payload: packet }));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Stops reading: what the server sends piles up, first in the systems' buffers. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  packet(beginning: string): Promise<string> {
    return this.#log.find(beginning);
  }

  #read(): void {
    for (;;) {
      const frame = readFrame(this.#buffer);
      if (frame === undefined) return;
      this.#buffer = this.#buffer.subarray(frame.length);
      if (frame.opcode === CLOSE) {
        this.#closeCode = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : undefined;
        this.#socket.end();
      }
      if (frame.opcode !== TEXT) continue;
      const packet = frame.payload.toString();
      this.#log.push(packet);
      if (packet === '2' && this.answersPings) this.send('3');
    }
  }
}

/** A server's frame: never masked, and never in fragments from this server. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const from = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < from) return undefined;
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < from + size) return undefined;
  return { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(from, from + size), length: from + size };
}

/** A handshake was answered with something else than 101. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly text: string;

  constructor(status: number, text: string) {
    super(`the upgrade was answered with ${status} ${text}`);
    this.status = status;
    this.text = text;
  }
}

export const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** @throws UpgradeRefused */
export function openWebSocket(
  { url }: { url: string },
  { path = `${SOCKETS}&transport=websocket`, headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<RawWebSocket> {
  const opened = deferred<RawWebSocket>();
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, path, headers: { ...UPGRADE, ...headers }, agent: false });
  request.on('upgrade', (_response, socket, head) => opened.resolve(new RawWebSocket(socket, head)));
  request.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
    response.on('end', () => opened.reject(new UpgradeRefused(response.statusCode ?? 0, text)));
  });
  request.on('error', (error) => opened.reject(error));
  request.end();
  return within(opened.promise, 'the upgrade');
}
