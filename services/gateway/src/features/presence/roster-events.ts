import { roomUserJoinedEvent, roomUserLeftEvent, type User } from '@parley/protocol';
import { encodeEvent } from '../../platform/sockets/encode.ts';
import { tell } from '../../platform/sockets/tell.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { Latest } from './latest.ts';
import type { Pace } from './pace.ts';
import { ROSTER_USERS, type RosterChange, type RosterEntry } from './roster.ts';

/** In a big room this much is gathered, ms. */
const BIG_ROOM_WINDOW_MS = 1_000;

interface Gathered {
  online: number;
  isBig: boolean;
  joined: Map<string, User>;
  left: Map<string, User>;
}

export interface RosterEventsOptions {
  /** The sockets that hear a room here, by user. */
  hearersIn: (roomId: string) => Iterable<[userId: string, sockets: ReadonlySet<ChatSocket>]>;
  /** How many users these are. */
  hearerCount: (roomId: string) => number;
  /** More online members make a room big. */
  detailMax: number;
  pace: Pace;
  count: (sockets: number) => void;
}

/**
 * Tells the sockets of this gateway who begins and ceases to hear their rooms: at once in small rooms, unless a crowd
 * comes; gathered in big ones. Gathering is done where the sockets are, so that each hears at most one event of a kind a
 * second however many gateways there are. Who comes and goes while it is gathered is not named at all.
 */
export class RosterEvents {
  readonly #options: RosterEventsOptions;
  readonly #rooms = new Map<string, Gathered>();
  /** Whether somebody was last said to hear a room, and since which opening of it here. */
  readonly #latest = new Latest<{ hears: boolean; opening: number }>();
  /** Rooms that are heard here, with a number each time they are heard again: what was said meanwhile is not known. */
  readonly #openings = new Map<string, number>();
  #openingCount = 0;
  readonly #tellSmall = (): void => this.#tellSmallRooms();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: RosterEventsOptions) {
    this.#options = options;
  }

  receive(roomId: string, { online, ...change }: RosterChange): void {
    const joined = this.#news(roomId, change.joined, true);
    const left = this.#news(roomId, change.left, false);
    if (joined.length + left.length === 0) return;
    const { detailMax, pace, hearerCount } = this.#options;
    pace.count(hearerCount(roomId) * (joined.length + left.length));
    const isBig = online > detailMax;
    const gathered = this.#rooms.get(roomId);
    if (!gathered && !isBig && !pace.isBusy) {
      this.#tell(roomId, { online, joined: byId(joined), left: byId(left) });
      return;
    }
    const room = gathered ?? { online, isBig, joined: new Map<string, User>(), left: new Map<string, User>() };
    room.online = online;
    for (const user of joined) if (!room.left.delete(user.id)) addBounded(room.joined, user);
    for (const user of left) if (!room.joined.delete(user.id)) addBounded(room.left, user);
    if (gathered) return;
    this.#rooms.set(roomId, room);
    if (isBig) this.#tellLater(roomId, room);
    else pace.next(this.#tellSmall);
  }

  /** Nobody hears the room here any more. */
  closed(roomId: string): void {
    this.#openings.delete(roomId);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#rooms.clear();
  }

  /** Without what was overtaken, and what was said already. */
  #news(roomId: string, entries: readonly RosterEntry[], hears: boolean): User[] {
    const opening = this.#openings.get(roomId) ?? (this.#openingCount += 1);
    this.#openings.set(roomId, opening);
    return entries.flatMap(({ user, version }) => {
      const key = `${roomId} ${user.id}`;
      const last = this.#latest.get(key);
      if (last && last.version >= version) return [];
      this.#latest.set(key, version, { hears, opening });
      return last?.value.opening === opening && last.value.hears === hears ? [] : user;
    });
  }

  #tellLater(roomId: string, room: Gathered): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#rooms.delete(roomId);
      this.#tell(roomId, room);
    }, BIG_ROOM_WINDOW_MS);
    this.#timers.add(timer);
  }

  #tellSmallRooms(): void {
    for (const [roomId, room] of this.#rooms) {
      if (room.isBig) continue;
      this.#rooms.delete(roomId);
      this.#tell(roomId, room);
    }
  }

  #tell(roomId: string, { online, joined, left }: Omit<Gathered, 'isBig'>): void {
    for (const [event, named] of [
      [roomUserJoinedEvent, joined],
      [roomUserLeftEvent, left],
    ] as const) {
      if (named.size === 0) continue;
      const users = [...named.values()];
      const forOthers = encodeEvent(event, { roomId, users, online });
      for (const [userId, sockets] of this.#options.hearersIn(roomId)) {
        // Who is named knows it already, and is told of the others only.
        const rest = named.has(userId) ? users.filter((user) => user.id !== userId) : users;
        if (rest.length === 0) continue;
        const encoded = rest === users ? forOthers : encodeEvent(event, { roomId, users: rest, online });
        this.#options.count(sockets.size);
        for (const socket of sockets) tell(socket, encoded);
      }
    }
  }
}

const byId = (users: readonly User[]): Map<string, User> => new Map(users.map((user) => [user.id, user]));

function addBounded(named: Map<string, User>, user: User): void {
  if (named.size < ROSTER_USERS) named.set(user.id, user);
}
