import { Socket } from 'engine.io';

/** Several clients (Python's among them) refuse a long-polling answer with more packets. */
export const MAX_PACKETS_PER_POLL = 16;

interface Packet {
  type: string;
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
 * Makes engine.io send at most 16 packets in one long-polling answer; the rest stays in the socket's buffer and goes
 * with the next poll, or over the WebSocket once the client has upgraded.
 *
 * A backlog may take longer to fetch than the ping time-out, which must not end a session whose client is there:
 * a ping goes first, and a poll of a closing session, whose pongs engine.io ignores, counts as a sign of life.
 *
 * engine.io has no option for this and creates its sockets itself, so the method is replaced. `drain` is not emitted
 * for a part: an orderly close waits for it, and must not cut off what is still buffered.
 */
export function capPollingAnswers(): void {
  prototype.flush = function flush(this: FlushingSocket): void {
    if (this.transport.name !== 'polling' || this.writeBuffer.length <= MAX_PACKETS_PER_POLL) {
      flushWhole.call(this);
      return;
    }
    putPingFirst(this.writeBuffer);
    if (this.readyState === 'closed' || !this.transport.writable) return;
    if (this.readyState === 'closing') (this.pingTimeoutTimer ?? this.pingIntervalTimer)?.refresh();
    const part = this.writeBuffer.splice(0, MAX_PACKETS_PER_POLL);
    this.emit('flush', part);
    this.server.emit('flush', this, part);
    this.sentCallbackFn.push(null);
    this.transport.send(part);
  };
}

/** A flush follows every packet, so a ping is still the last one when it is seen here. */
function putPingFirst(packets: Packet[]): void {
  const last = packets.at(-1);
  if (last?.type !== 'ping') return;
  packets.pop();
  packets.unshift(last);
}
