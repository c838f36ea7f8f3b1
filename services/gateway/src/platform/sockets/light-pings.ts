import { Socket } from 'engine.io';

/** The parts of engine.io's Socket (6.6) that pings touch; they are private in its types. */
interface PingingSocket {
  server: { opts: { pingInterval: number } };
  hasRefreshedPingTimeout: boolean;
  pingIntervalTimer: NodeJS.Timeout | null;
  schedulePing(): void;
  sendPacket(type: 'ping', data: undefined, options: object): void;
  resetPingTimeout(): void;
}

/** A final, unmasked text frame with the Engine.IO packet type 2 (ping). */
const PING = { wsPreEncodedFrame: [Buffer.from([0x81, 1, 0x32])] };

const prototype = Socket.prototype as unknown as PingingSocket;

/**
 * Gives engine.io the frame of a ping ready-made. Idle connections do nothing but ping, and encoding the same frame
 * again and again is a good part of what that costs: of CPU, and of garbage, by which V8 takes an idle process for a
 * busy one and puts off the collection that would give memory back.
 */
export function lightenPings(): void {
  prototype.schedulePing = function schedulePing(this: PingingSocket): void {
    this.pingIntervalTimer = setTimeout(ping, this.server.opts.pingInterval, this);
  };
}

function ping(socket: PingingSocket): void {
  socket.hasRefreshedPingTimeout = false;
  socket.sendPacket('ping', undefined, PING);
  socket.resetPingTimeout();
}
