import type { Presence } from '@parley/protocol';
import { toUser } from '../users/view.ts';
import { Batches } from './batches.ts';
import type { Claims } from './claims.ts';
import type { UserInRooms } from './presence.sql.ts';

/** Why a user is looked at. */
export interface Touch {
  /** Told even when the user was online before and is: the status changed, or somebody believes otherwise. */
  isNews: boolean;
  /** The user's own devices are told, too. */
  tellOwn: boolean;
  /** The id of a socket that knows already. */
  except?: string | undefined;
}

/** What is told of a user, and to whom. */
export interface PresenceNews {
  presence: Presence;
  /** Places in the list of rooms. */
  rooms: number[];
  tellOwn: boolean;
  except?: string;
}

/** What one batch tells all gateways. Rooms are listed once, with how many members are online. */
export interface NewsBatch {
  from: string;
  /** What is said is at least as new; orders what several gateways say. */
  version: number;
  rooms: [roomId: string, online: number][];
  news: PresenceNews[];
}

interface Told {
  user: UserInRooms;
  isOnline: boolean;
  touch: Touch;
}

export interface TransitionsOptions {
  claims: Claims;
  gatewayId: string;
  /** Those of the users who are online. */
  onlineOf: (userIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Notes who is told to be online and who offline, and reads them. */
  note: (online: string[], offline: string[]) => Promise<UserInRooms[]>;
  tellAll: (batch: NewsBatch) => void;
  onError: (error: unknown) => void;
}

/**
 * Brings what follows from the claims up to date: the sets of online members of the user's rooms, the note of who was
 * told to be online, and what the others are told.
 *
 * It does not matter who does it, how often, and whether two gateways do it at once. The state is read, applied, and read
 * again: if it has changed meanwhile, the user is taken up again, so the last one to write has seen the state that stays.
 * The note in PostgreSQL decides who tells a change. All of it waits while a store is away.
 */
export class Transitions {
  readonly #options: TransitionsOptions;
  readonly #batches: Batches<string, Touch>;

  constructor(options: TransitionsOptions) {
    this.#options = options;
    this.#batches = new Batches<string, Touch>({
      work: (batch) => this.#process(batch),
      merge: mergeTouches,
      onError: options.onError,
    });
  }

  /** Resolves once it was tried. */
  touch(userId: string, touch: Touch = { isNews: false, tellOwn: false }): Promise<void> {
    return this.#batches.add(userId, touch);
  }

  /** Resolves once all that waits was tried. */
  attempted(): Promise<void> {
    return this.#batches.attempted();
  }

  retry(): void {
    this.#batches.retry();
  }

  async stop(): Promise<void> {
    await this.#batches.drained();
    this.#batches.stop();
  }

  async #process(batch: ReadonlyMap<string, Touch>): Promise<void> {
    const { claims, onlineOf, note } = this.#options;
    const userIds = [...batch.keys()];
    const version = await claims.version();
    const online = await onlineOf(userIds);
    const [on, off] = [userIds.filter((id) => online.has(id)), userIds.filter((id) => !online.has(id))];
    const users = new Map((await note(on, off)).map((user) => [user.id, user]));
    await this.#applyToRooms([...users.values()], online);
    const now = await onlineOf(userIds);
    const told: Told[] = [];
    for (const [userId, touch] of batch) {
      const user = users.get(userId);
      const isNews = touch.isNews || user?.is_news === true;
      const isOnline = online.has(userId);
      if (now.has(userId) !== isOnline) void this.touch(userId, { ...touch, isNews });
      else if (isNews && user && isForAnybody(user, isOnline, touch)) told.push({ user, isOnline, touch });
    }
    if (told.length === 0) return;
    const roomIds = [...new Set(told.flatMap(({ user }) => user.room_ids))];
    const counts = await claims.countsOf(roomIds);
    const rooms = roomIds.map((roomId, index): [string, number] => [roomId, counts[index] ?? 0]);
    this.#options.tellAll({ from: this.#options.gatewayId, version, rooms, news: toNews(told, roomIds) });
  }

  async #applyToRooms(users: readonly UserInRooms[], online: ReadonlySet<string>): Promise<void> {
    const byRoom = new Map<string, { on: string[]; off: string[] }>();
    for (const { id, room_ids: roomIds } of users) {
      for (const roomId of roomIds) {
        const { on, off } = byRoom.get(roomId) ?? { on: [], off: [] };
        byRoom.set(roomId, { on, off });
        (online.has(id) ? on : off).push(id);
      }
    }
    await Promise.all([...byRoom].map(([roomId, { on, off }]) => this.#options.claims.setOnlineIn(roomId, on, off)));
  }
}

/**
 * Who comes online and shares no room with anybody is no news. Whoever goes is, so that a gateway that knows better can
 * say so.
 */
function isForAnybody({ room_ids: roomIds }: UserInRooms, isOnline: boolean, { tellOwn }: Touch): boolean {
  return roomIds.length > 0 || !isOnline || tellOwn;
}

function toNews(told: readonly Told[], roomIds: readonly string[]): PresenceNews[] {
  const places = new Map(roomIds.map((roomId, place) => [roomId, place]));
  return told.map(({ user, isOnline, touch: { tellOwn, except } }) => ({
    presence: toPresence(user, isOnline),
    rooms: user.room_ids.map((roomId) => places.get(roomId) as number),
    tellOwn,
    ...(except !== undefined && { except }),
  }));
}

function toPresence(row: UserInRooms, isOnline: boolean): Presence {
  const { name: _name, avatarUrl: _avatarUrl, ...presence } = toUser(row, isOnline);
  return presence;
}

/** Two devices that set the status at once: the one whose status it is not any more has to be told. */
function mergeTouches(earlier: Touch, later: Touch): Touch {
  return {
    isNews: earlier.isNews || later.isNews,
    tellOwn: earlier.tellOwn || later.tellOwn,
    except: later.except,
  };
}
