import { Socket } from 'engine.io';
import { bytesOf, wereTaken } from './backlog.ts';
import type { PacketOptions } from './write-frames.ts';

/** Several clients (Python's among them) refuse a long-polling answer with more packets. */
export const MAX_PACKETS_PER_POLL = 16;
/**
 * What is given to a WebSocket at a time, bytes: from there nothing can be taken back. It asks for more once the kernel
 * has it all.
 */
const MAX_BYTES_PER_WRITE = 256_000;

interface Packet {
  type: string;
  data?: unknown;
  options?: PacketOptions;
}

/** The parts of engine.io's Socket (6.6) that flushing touches; they are private in its types. */
interface FlushingSocket {
  readyState: string;
  transport: { name: string; writable: boolean; send(packets: Packet[]): void };
  server: { emit(event: 'flush', socket: unknown, packets: Packet[]): boolean };
  writeBuffer: Packet[];
  sentCallbackFn: unknown[];
  pingTimeoutTimer: NodeJS.Timeout | null;
  pingIntervalTimer: NodeJS.Timeout | null;
  emit(event: 'flush', packets: Packet[]): boolean;
  flush(): void;
}

const prototype = Socket.prototype as unknown as FlushingSocket;
// oxlint-disable-next-line typescript/unbound-method -- always called with the socket as `this`
const flushWhole = prototype.flush;

/**
 * Makes engine.io send at most 16 packets in one long-polling answer, and some 256 KB at a time to a WebSocket; the rest
 * stays in the socket's buffer and goes with the next poll, or when the WebSocket has room. There it is known how much a
 * client leaves unread, and it can be dropped when that is too much.
 *
 * A backlog may take longer to fetch than the ping time-out, which must not end a session whose client is there:
 * a ping goes first, and a poll of a closing session, whose pongs engine.io ignores, counts as a sign of life.
 *
 * engine.io has no option for this and creates its sockets itself, so the method is replaced. `drain` is not emitted
 * for a part: an orderly close waits for it, and must not cut off what is still buffered.
 */
export function capFlushes(): void {
  prototype.flush = function flush(this: FlushingSocket): void {
    const isPolling = this.transport.name === 'polling';
    const count = isPolling ? MAX_PACKETS_PER_POLL : packetsPerWrite(this.writeBuffer);
    if (this.writeBuffer.length <= count) {
      flushWhole.call(this);
      return;
    }
    putPingFirst(this.writeBuffer);
    if (this.readyState === 'closed' || !this.transport.writable) return;
    if (isPolling && this.readyState === 'closing') (this.pingTimeoutTimer ?? this.pingIntervalTimer)?.refresh();
    const part = this.writeBuffer.splice(0, count);
    wereTaken(this, part);
    this.emit('flush', part);
    this.server.emit('flush', this, part);
    this.sentCallbackFn.push(null);
    this.transport.send(part);
  };
}

function packetsPerWrite(packets: readonly Packet[]): number {
  let bytes = 0;
  for (let index = 0; index < packets.length; index += 1) {
    bytes += bytesOf(packets[index]);
    if (bytes > MAX_BYTES_PER_WRITE) return index + 1;
  }
  return packets.length;
}

/** A flush follows every packet, so a ping is still the last one when it is seen here. */
function putPingFirst(packets: Packet[]): void {
  const last = packets.at(-1);
  if (last?.type !== 'ping') return;
  packets.pop();
  packets.unshift(last);
}
