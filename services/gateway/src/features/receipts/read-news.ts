import { messageReadEvent } from '@parley/protocol';
import type { Streams } from '../../delivery/streams.ts';
import { peerTopic, type Peers } from '../../platform/peers/peers.ts';
import { roomTopic, type RoomSignals } from '../../platform/peers/room-signals.ts';
import type { SocketRegistry } from '../../platform/sockets/registry.ts';
import { encodeEvent } from '../../platform/sockets/encode.ts';
import { tell } from '../../platform/sockets/tell.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import type { Reading } from './reading.ts';
import { takeTurn } from './take-turn.ts';

/** What was read within it is told together, and of what one member read in one room only the last, ms. */
const WINDOW_MS = 200;

/** For who hears the room. */
const READ = roomTopic<{ userId: string; seq: number }[]>('receipts:read');
/** For the readers' own devices, of all rooms at once, since nobody knows where they are. `from` knows already. */
const OWN = peerTopic<(Reading & { from: string })[]>('receipts:own');

export interface ReadNewsOptions {
  streams: Streams<ChatSocket>;
  signals: RoomSignals;
  peers: Peers;
  sockets: SocketRegistry;
}

export interface ReadNews {
  /** @param from the socket that asked: it knows by its answer */
  moved(reading: Reading, from: string): void;
  /** The user is no member any more: nothing is told of it, nor to its devices. For what was read at this gateway. */
  removed(roomId: string, userId: string): void;
  /** Tells what waits. */
  stop(): void;
}

/**
 * Tells who has read how far: to the others that hear the room, and to the reader's other devices. It may be lost.
 *
 * Readings are gathered twice: where they are made, so that a window is one publish a room and one for all devices, and
 * where they are told, so that large rooms stay within their frames.
 */
export function createReadNews({ streams, signals, peers, sockets }: ReadNewsOptions): ReadNews {
  /** By room and user: what was read here and is not told yet. */
  const made = new Map<string, Map<string, { seq: number; from: string }>>();
  /** By room and user: what the hearers of this gateway will be told. */
  const due = new Map<string, Map<string, number>>();
  let madeTimer: NodeJS.Timeout | undefined;
  let dueTimer: NodeJS.Timeout | undefined;

  signals.on(READ, (roomId, readings) => {
    const ofRoom = due.get(roomId) ?? new Map<string, number>();
    due.set(roomId, ofRoom);
    for (const { userId, seq } of readings) ofRoom.set(userId, Math.max(seq, ofRoom.get(userId) ?? 0));
    if (dueTimer === undefined) tellDue();
  });
  signals.onClosed((roomId) => due.delete(roomId));
  peers.on(OWN, (readings) => {
    for (const { roomId, userId, seq, from } of readings) {
      for (const socket of sockets.ofUser(userId)) {
        if (socket.id !== from) tell(socket, encodeEvent(messageReadEvent, { roomId, userId, seq }));
      }
    }
  });

  function tellDue(): void {
    dueTimer = undefined;
    if (due.size === 0) return;
    for (const [roomId, ofRoom] of due) {
      tellSome(roomId, ofRoom);
      if (ofRoom.size === 0) due.delete(roomId);
    }
    dueTimer = setTimeout(tellDue, WINDOW_MS);
  }

  function tellSome(roomId: string, ofRoom: Map<string, number>): void {
    const hearers = [...streams.hearersOf(roomId)];
    for (const [userId, seq] of takeTurn(ofRoom, hearers.length)) {
      const event = encodeEvent(messageReadEvent, { roomId, userId, seq });
      for (const hearer of hearers) if (hearer.data.identity.user.id !== userId) tell(hearer, event);
    }
  }

  function sendMade(): void {
    madeTimer = undefined;
    const own: (Reading & { from: string })[] = [];
    for (const [roomId, ofRoom] of made) {
      const readings = [...ofRoom].map(([userId, { seq }]) => ({ userId, seq }));
      if (readings.length > 0) signals.send(roomId, READ, readings);
      for (const [userId, reading] of ofRoom) own.push({ roomId, userId, ...reading });
    }
    made.clear();
    if (own.length > 0) peers.tellAll(OWN, own);
  }

  return {
    moved({ roomId, userId, seq }, from) {
      const ofRoom = made.get(roomId) ?? new Map<string, { seq: number; from: string }>();
      made.set(roomId, ofRoom);
      if (seq > (ofRoom.get(userId)?.seq ?? 0)) ofRoom.set(userId, { seq, from });
      madeTimer ??= setTimeout(sendMade, WINDOW_MS);
    },
    removed: (roomId, userId) => void made.get(roomId)?.delete(userId),
    stop() {
      clearTimeout(madeTimer);
      clearTimeout(dueTimer);
      sendMade();
      due.clear();
    },
  };
}
