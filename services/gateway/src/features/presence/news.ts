import { presenceChangedEvent, type Presence } from '@parley/protocol';
import type { SocketRegistry } from '../../platform/sockets/registry.ts';
import { encodeEvent, type EncodedEvent } from '../../platform/sockets/encode.ts';
import { tell } from '../../platform/sockets/tell.ts';
import { Latest } from './latest.ts';
import type { Pace } from './pace.ts';
import type { NewsBatch } from './transitions.ts';

/** What happens within this time in a big room is told together, ms. */
const BIG_ROOM_WINDOW_MS = 1_000;
/** The most users that an event tells of a big room. */
const BIG_ROOM_USERS = 50;
/** Of a big room so many wait for their turn; the oldest beyond are not told. Five events. */
const BIG_ROOM_WAITING = 250;

/** A change on its way to the sockets of this gateway. */
interface Change {
  presence: Presence;
  except: string | undefined;
  /** Users who were told already, by another room that they share. */
  told: Set<string>;
}

interface WaitingRoom {
  isBig: boolean;
  /** When it is its turn, ms since the epoch. */
  dueAt: number;
  /** By user, the latest change of each. */
  changes: Map<string, Change>;
}

export interface NewsOptions {
  sockets: SocketRegistry;
  /** The users of a room who are connected here. */
  usersIn: (roomId: string) => ReadonlySet<string>;
  /** More online members make a room big. */
  detailMax: number;
  pace: Pace;
  /** How many users were told about at how many sockets. */
  count: (sockets: number) => void;
}

/**
 * Tells the sockets of this gateway who of those they share a room with came, went, or changed the status. Everybody is
 * told a change once, however many rooms are shared; what is equal for many is encoded once.
 */
export class News {
  readonly #options: NewsOptions;
  readonly #rooms = new Map<string, WaitingRoom>();
  /** Changes that the user's own devices are told. */
  readonly #own = new Map<string, Change>();
  readonly #latest = new Latest<true>();
  readonly #tellDue = (): void => this.#tellAllDue();

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  receive({ version, rooms, news }: NewsBatch): void {
    for (const { presence, rooms: places, tellOwn, except } of news) {
      if ((this.#latest.get(presence.id)?.version ?? 0) > version) continue; // it was overtaken
      this.#latest.set(presence.id, version, true);
      const change: Change = { presence, except, told: new Set() };
      if (!tellOwn) change.told.add(presence.id);
      else if (this.#options.sockets.ofUser(presence.id).size > 0) this.#own.set(presence.id, change);
      for (const place of places) {
        const [roomId, online] = rooms[place] as [string, number];
        const { size } = this.#options.usersIn(roomId);
        if (size === 0) continue;
        this.#options.pace.count(size);
        this.#add(roomId, online, change);
      }
    }
    this.#goOn();
  }

  stop(): void {
    this.#rooms.clear();
    this.#own.clear();
  }

  #add(roomId: string, online: number, change: Change): void {
    const isBig = online > this.#options.detailMax;
    const room = this.#rooms.get(roomId) ?? {
      isBig,
      dueAt: Date.now() + (isBig ? BIG_ROOM_WINDOW_MS : 0),
      changes: new Map<string, Change>(),
    };
    this.#rooms.set(roomId, room);
    room.isBig = isBig;
    room.changes.delete(change.presence.id);
    room.changes.set(change.presence.id, change);
    if (isBig && room.changes.size > BIG_ROOM_WAITING) {
      const [oldest] = room.changes.keys();
      room.changes.delete(oldest as string);
    }
  }

  #goOn(): void {
    if (this.#rooms.size + this.#own.size > 0) this.#options.pace.next(this.#tellDue);
  }

  #tellAllDue(): void {
    const now = Date.now();
    const start = new Bundle();
    const bundles = new Map<string, Bundle>();
    const give = (userId: string, change: Change): void => {
      if (change.told.has(userId)) return;
      change.told.add(userId);
      bundles.set(userId, (bundles.get(userId) ?? start).with(change));
    };
    for (const [userId, change] of this.#own) give(userId, change);
    this.#own.clear();
    for (const [roomId, room] of this.#rooms) {
      if (room.dueAt > now) continue;
      const changes = room.isBig ? [...room.changes.values()].slice(0, BIG_ROOM_USERS) : [...room.changes.values()];
      const audience = this.#options.usersIn(roomId);
      for (const change of changes) {
        room.changes.delete(change.presence.id);
        for (const userId of audience) give(userId, change);
      }
      if (room.changes.size === 0) this.#rooms.delete(roomId);
      else room.dueAt = now + BIG_ROOM_WINDOW_MS;
    }
    for (const [userId, bundle] of bundles) this.#tellUser(userId, bundle);
    this.#goOn();
  }

  #tellUser(userId: string, bundle: Bundle): void {
    const sockets = this.#options.sockets.ofUser(userId);
    this.#options.count(sockets.size);
    for (const socket of sockets) {
      const event = bundle.eventFor(socket.id);
      if (event) tell(socket, event);
    }
  }
}

/** A list of changes for any number of users. Equal lists are one bundle, so each is encoded once. */
class Bundle {
  readonly #changes: readonly Change[];
  /** Sockets that know some of it. */
  readonly #excepts: ReadonlySet<string | undefined>;
  readonly #longer = new Map<Change, Bundle>();
  #event: EncodedEvent | undefined;

  constructor(changes: readonly Change[] = []) {
    this.#changes = changes;
    this.#excepts = new Set(changes.map((change) => change.except));
  }

  with(change: Change): Bundle {
    const known = this.#longer.get(change);
    if (known) return known;
    const longer = new Bundle([...this.#changes, change]);
    this.#longer.set(change, longer);
    return longer;
  }

  /** Undefined when the socket knows all of it already. */
  eventFor(socketId: string): EncodedEvent | undefined {
    if (this.#excepts.has(socketId)) {
      const rest = this.#changes.filter((change) => change.except !== socketId);
      return rest.length > 0 ? encode(rest) : undefined;
    }
    this.#event ??= encode(this.#changes);
    return this.#event;
  }
}

function encode(changes: readonly Change[]): EncodedEvent {
  return encodeEvent(presenceChangedEvent, { users: changes.map((change) => change.presence) });
}
