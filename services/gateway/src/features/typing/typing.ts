import { typingStartEvent, typingStopEvent } from '@parley/protocol';
import type { Streams } from '../../delivery/streams.ts';
import type { RoomSignals } from '../../platform/peers/room-signals.ts';
import { roomTopic } from '../../platform/peers/room-signals.ts';
import type { RedisClients } from '../../platform/redis/clients.ts';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import type { SocketRegistry } from '../../platform/sockets/registry.ts';
import { encodeEvent } from '../../platform/sockets/encode.ts';
import { tell } from '../../platform/sockets/tell.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import type { Delivery } from '../messages/delivery.ts';
import { Board, type BoardChange } from './board.ts';
import { TypingDevices } from './devices.ts';
import { createTypingMemory, type Typing as Typist } from './memory.ts';

const STARTED = roomTopic<Typist>('typing:started');
const STOPPED = roomTopic<{ userId: string; gatewayId: string }>('typing:stopped');

export interface TypingOptions {
  gatewayId: string;
  /** How long typing lasts unless it is said again, ms. */
  timeoutMs: number;
  redis: RedisClients;
  keys: RedisKeys;
  sockets: SocketRegistry;
  streams: Streams<ChatSocket>;
  signals: RoomSignals;
  onArrival: Delivery['onArrival'];
}

/**
 * Who types where.
 *
 * A gateway knows which of its own sockets type (`TypingDevices`), and says so over the room's channel. Each gateway that
 * hears the room keeps a board of who types there and tells its hearers what changes on it. A message that arrives ends
 * its sender's typing on every board, so nobody has to say that. Whoever begins to hear is shown the board; a gateway
 * that begins to hear fills its board from Redis.
 *
 * All of it may be lost, and ends by itself.
 */
export interface Typing {
  /**
   * A socket asks to be shown as typing. Until it is decided, whatever ends typing ends this request, too.
   *
   * @returns what has to be called, once, with the decision
   */
  starting(socket: ChatSocket, roomId: string): (passes: boolean) => void;
  /** The socket does not type in the room any more: it said so, or has left it. */
  ended(socket: ChatSocket, roomId: string): void;
  /** The socket is gone. */
  endedEverywhere(socket: ChatSocket): void;
  /** The user is no member any more. For the user's sockets at this gateway. */
  removed(roomId: string, userId: string): void;
  /** The socket sends a message: what it asked for before has no effect any more. The message itself does the rest. */
  sending(socket: ChatSocket, roomId: string): void;
  /** Shows a socket that has just begun to hear the room who types there. */
  show(socket: ChatSocket, roomId: string): void;
  /** Typists on the board of this gateway. */
  readonly size: number;
  stop(): void;
}

export function createTyping(options: TypingOptions): Typing {
  const { gatewayId, timeoutMs, sockets, streams, signals } = options;
  const devices = new TypingDevices(sockets, timeoutMs);
  const memory = createTypingMemory(options.redis, options.keys, timeoutMs);
  const board = new Board(tellOthers);
  /** Rooms whose board is whole. While one is being filled: whom it has lost meanwhile, by user or by gateway and user. */
  const filled = new Map<string, Set<string> | undefined>();

  signals.on(STARTED, (roomId, { user, gatewayId: from }) => {
    filled.get(roomId)?.delete(lostAt(user.id, from));
    board.started(roomId, user, from, Date.now() + timeoutMs);
  });
  signals.on(STOPPED, (roomId, { userId, gatewayId: from }) => {
    filled.get(roomId)?.add(lostAt(userId, from));
    board.stopped(roomId, userId, from);
  });
  signals.onClosed((roomId) => {
    filled.delete(roomId);
    board.forget(roomId);
  });
  options.onArrival((roomId, entries) => {
    for (const { log, payload } of entries) if (log === 'message') sent(roomId, payload.senderId);
  });

  function tellOthers({ roomId, user, isTyping }: BoardChange): void {
    const event = encodeEvent(isTyping ? typingStartEvent : typingStopEvent, { roomId, user });
    for (const hearer of streams.hearersOf(roomId)) {
      if (hearer.data.identity.user.id !== user.id) tell(hearer, event);
    }
  }

  /** On every gateway where the room is heard, and on the one that committed the message. */
  function sent(roomId: string, userId: string): void {
    for (const socket of sockets.ofUser(userId)) {
      const user = devices.sent(socket, roomId);
      if (user) memory.forget(roomId, { user, gatewayId });
    }
    filled.get(roomId)?.add(userId);
    board.cleared(roomId, userId);
  }

  async function fill(roomId: string): Promise<void> {
    const lost = new Set<string>();
    filled.set(roomId, lost);
    const found = await memory.recall(roomId).catch(() => undefined);
    if (filled.get(roomId) !== lost) return; // closed in between
    if (found === undefined) {
      filled.delete(roomId); // the next one to hear the room tries again
      return;
    }
    filled.set(roomId, undefined);
    for (const { user, gatewayId: from, leftMs } of found) {
      if (lost.has(user.id) || lost.has(lostAt(user.id, from))) continue;
      board.started(roomId, user, from, Date.now() + leftMs);
    }
  }

  function ended(socket: ChatSocket, roomId: string): void {
    const user = devices.ended(socket, roomId);
    if (!user) return;
    memory.forget(roomId, { user, gatewayId });
    signals.send(roomId, STOPPED, { userId: user.id, gatewayId });
  }

  return {
    starting(socket, roomId) {
      const start = devices.starting(socket, roomId);
      return (passes) => {
        const user = devices.decided(socket, roomId, start, passes);
        if (!user) return;
        const typist = { user: { id: user.id, name: user.name }, gatewayId };
        memory.remember(roomId, typist);
        signals.send(roomId, STARTED, typist);
      };
    },
    ended,
    endedEverywhere(socket) {
      for (const roomId of devices.roomsOf(socket)) ended(socket, roomId);
    },
    removed(roomId, userId) {
      for (const socket of sockets.ofUser(userId)) ended(socket, roomId);
    },
    sending: (socket, roomId) => devices.cancelStarts(socket, roomId),
    show(socket, roomId) {
      for (const user of board.typingIn(roomId)) {
        if (user.id !== socket.data.identity.user.id) tell(socket, encodeEvent(typingStartEvent, { roomId, user }));
      }
      if (!filled.has(roomId)) void fill(roomId);
    },
    get size() {
      return board.size;
    },
    stop: () => board.stop(),
  };
}

function lostAt(userId: string, gatewayId: string): string {
  return `${gatewayId} ${userId}`;
}
