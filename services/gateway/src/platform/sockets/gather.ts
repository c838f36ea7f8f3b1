import { Socket } from 'engine.io';
import { textFrame } from './encode.ts';
import { GatherWindow } from './gather-window.ts';
import type { ChatSocket } from './types.ts';
import { boundUnread } from './unread.ts';
import { forgetLatest, writeFrames, type FramesConnection, type PacketOptions } from './write-frames.ts';

/** What of engine.io's sockets (6.6) gathering touches; it is private in its types, or not in them. */
export interface GatheringConnection extends FramesConnection {
  transport: FramesConnection['transport'] & { name: string };
  /** Of the last event that it was told: the period it was counted in. */
  gatheredIn?: number;
  /** Whether something is gathered for it at the moment. */
  isGathering?: boolean;
  /** Was told something, and has to read it. */
  hearer?: ChatSocket;
  flush(): void;
  sendPacket(...packet: [type: string, data: unknown, options?: PacketOptions, callback?: unknown]): void;
}

/** How long packets are gathered. Whoever tells a socket an event counts it here. */
export const window = new GatherWindow();

/** For how long it is worth gathering what is told to many sockets, ms, by the load. 0: this gateway has little to do. */
export const gatherForAllMs = (): number => window.forAllMs;

let waiting: GatheringConnection[] = [];
let isScheduled = false;

/**
 * Writes what is in the connection's buffer at the end of the window. Whatever is written to it at once takes that with
 * it, so nothing overtakes anything.
 */
export function writeSoon(connection: GatheringConnection): void {
  if (connection.isGathering !== true) {
    connection.isGathering = true;
    waiting.push(connection);
  }
  if (isScheduled) return;
  isScheduled = true;
  const { ms } = window;
  if (ms === 0) setImmediate(writeAll);
  else setTimeout(writeAll, ms);
}

function writeAll(): void {
  isScheduled = false;
  const connections = waiting;
  waiting = [];
  for (const connection of connections) {
    connection.isGathering = false;
    if (writeFrames(connection)) continue; // it had taken all before, so it leaves little unread
    connection.flush();
    if (connection.hearer) boundUnread(connection.hearer);
  }
  forgetLatest();
}

/** Longer packets, in characters, are written at once: sharing a write gains them little, and they must not pile up. */
const MAX_GATHERED_LENGTH = 4_000;
/** With so many packets in its buffer a connection is written to at once. */
const MAX_GATHERED = 64;

const prototype = Socket.prototype as unknown as GatheringConnection;
// oxlint-disable-next-line typescript/unbound-method -- always called with the socket as `this`
const sendAtOnce = prototype.sendPacket;

/**
 * While a window is open, what engine.io sends is gathered, too: an answer that is written by itself costs as much as a
 * delivery, and takes what is gathered for its socket with it, frame by frame.
 *
 * engine.io has no option for this and creates its sockets itself, so the method is replaced.
 */
export function gatherPackets(): void {
  prototype.sendPacket = function sendPacket(this: GatheringConnection, ...packet): void {
    const [type, data, options, callback] = packet;
    if (type !== 'message' || typeof data !== 'string' || callback !== undefined || !mayWait(this, data.length)) {
      sendAtOnce.apply(this, packet);
      return;
    }
    const isEncoded = options?.wsPreEncodedFrame !== undefined;
    this.writeBuffer.push({
      type,
      data,
      options: isEncoded ? options : { wsPreEncodedFrame: [textFrame(`4${data}`)] },
    });
    writeSoon(this);
  };
}

function mayWait({ readyState, transport, writeBuffer }: GatheringConnection, length: number): boolean {
  if (readyState !== 'open' || transport.name !== 'websocket') return false;
  return length <= MAX_GATHERED_LENGTH && writeBuffer.length < MAX_GATHERED && window.ms > 0;
}
