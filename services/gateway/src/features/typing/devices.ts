import type { UserRef } from '@parley/protocol';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import type { SocketRegistry } from '../../platform/sockets/registry.ts';

/** A `typing:start` that is being decided. */
export interface Start {
  isCancelled: boolean;
}

interface Device {
  /** As whom it was shown. */
  user: UserRef;
  /** When typing ends by itself, ms since the epoch; 0 while it does not type. */
  untilMs: number;
  readonly starts: Set<Start>;
}

/**
 * Which of this gateway's sockets type where. What has timed out is as if it were not there.
 *
 * A start takes time to be decided. What comes behind it and ends typing cancels it, so a stop is never overtaken by the
 * start before it.
 */
export class TypingDevices {
  readonly #sockets: SocketRegistry;
  readonly #timeoutMs: number;
  /** Weak: a request can be worked on for a moment longer than its socket is here. */
  readonly #rooms = new WeakMap<ChatSocket, Map<string, Device>>();

  constructor(sockets: SocketRegistry, timeoutMs: number) {
    this.#sockets = sockets;
    this.#timeoutMs = timeoutMs;
  }

  /** Has to be followed by `decided`. */
  starting(socket: ChatSocket, roomId: string): Start {
    const rooms = this.#rooms.get(socket) ?? new Map<string, Device>();
    this.#rooms.set(socket, rooms);
    forgetTimedOut(rooms);
    const device = rooms.get(roomId) ?? { user: socket.data.identity.user, untilMs: 0, starts: new Set<Start>() };
    rooms.set(roomId, device);
    const start = { isCancelled: false };
    device.starts.add(start);
    return start;
  }

  /** @returns as whom the device is shown because of it, if it is */
  decided(socket: ChatSocket, roomId: string, start: Start, passes: boolean): UserRef | undefined {
    const device = this.#rooms.get(socket)?.get(roomId);
    if (!device?.starts.delete(start)) return undefined;
    const isTyping = passes && !start.isCancelled;
    if (isTyping) {
      device.user = socket.data.identity.user;
      device.untilMs = Date.now() + this.#timeoutMs;
    }
    this.#forgetIfIdle(socket, roomId, device);
    return isTyping ? device.user : undefined;
  }

  cancelStarts(socket: ChatSocket, roomId: string): void {
    for (const start of this.#rooms.get(socket)?.get(roomId)?.starts ?? []) start.isCancelled = true;
  }

  /**
   * The device does not type any more.
   *
   * @returns as whom it was shown, if it was the user's last one here that did
   */
  ended(socket: ChatSocket, roomId: string): UserRef | undefined {
    this.cancelStarts(socket, roomId);
    const user = this.sent(socket, roomId);
    return user && !this.#isTyping(user.id, roomId) ? user : undefined;
  }

  /** The device's user has sent a message; what it has begun since goes on. @returns as whom it was shown, if it was */
  sent(socket: ChatSocket, roomId: string): UserRef | undefined {
    const device = this.#rooms.get(socket)?.get(roomId);
    if (!device) return undefined;
    const wasTyping = device.untilMs > Date.now();
    device.untilMs = 0;
    this.#forgetIfIdle(socket, roomId, device);
    return wasTyping ? device.user : undefined;
  }

  roomsOf(socket: ChatSocket): string[] {
    return [...(this.#rooms.get(socket)?.keys() ?? [])];
  }

  #isTyping(userId: string, roomId: string): boolean {
    for (const socket of this.#sockets.ofUser(userId)) {
      if ((this.#rooms.get(socket)?.get(roomId)?.untilMs ?? 0) > Date.now()) return true;
    }
    return false;
  }

  #forgetIfIdle(socket: ChatSocket, roomId: string, device: Device): void {
    if (device.starts.size > 0 || device.untilMs > Date.now()) return;
    const rooms = this.#rooms.get(socket);
    rooms?.delete(roomId);
    if (rooms?.size === 0) this.#rooms.delete(socket);
  }
}

/** So that a socket that wanders through rooms leaves nothing behind. */
function forgetTimedOut(rooms: Map<string, Device>): void {
  for (const [roomId, { starts, untilMs }] of rooms) {
    if (starts.size === 0 && untilMs <= Date.now()) rooms.delete(roomId);
  }
}
