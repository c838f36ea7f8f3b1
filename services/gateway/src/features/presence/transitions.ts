import type { Presence } from '@parley/protocol';
import { toUser, type UserRow } from '../users/view.ts';
import { Batches } from './batches.ts';
import type { Claims } from './claims.ts';

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

export interface TransitionsOptions {
  claims: Claims;
  gatewayId: string;
  /** Notes who is told to be online; returns those for whom it is new. */
  note: (online: string[], offline: string[]) => Promise<Set<string>>;
  usersById: (userIds: string[]) => Promise<UserRow[]>;
  roomsOf: (userIds: string[]) => Promise<{ room_id: string; user_id: string }[]>;
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
    await this.#batches.attempted();
    this.#batches.stop();
  }

  async #process(batch: ReadonlyMap<string, Touch>): Promise<void> {
    const { claims, note, usersById, roomsOf } = this.#options;
    const userIds = [...batch.keys()];
    const [version, online] = await Promise.all([claims.version(), claims.onlineOf(userIds)]);
    const [on, off] = [userIds.filter((id) => online.has(id)), userIds.filter((id) => !online.has(id))];
    const changed = await note(on, off);
    const [users, memberships] = await Promise.all([usersById(userIds), roomsOf(userIds)]);
    const counts = await this.#applyToRooms(memberships, online);
    const now = await claims.onlineOf(userIds);
    const told: string[] = [];
    for (const [userId, touch] of batch) {
      const isNews = touch.isNews || changed.has(userId);
      if (now.has(userId) !== online.has(userId)) void this.touch(userId, { ...touch, isNews });
      else if (isNews) told.push(userId);
    }
    if (told.length === 0) return;
    const rows = new Map(users.map((user) => [user.id, user]));
    const news = told.flatMap((userId) => {
      const row = rows.get(userId);
      return row ? [{ userId, row, isOnline: online.has(userId), touch: batch.get(userId) as Touch }] : [];
    });
    this.#options.tellAll({ from: this.#options.gatewayId, version, ...toNews(news, memberships, counts) });
  }

  /** @returns how many members are online in each of the rooms */
  async #applyToRooms(
    memberships: readonly { room_id: string; user_id: string }[],
    online: ReadonlySet<string>,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const byRoom = Map.groupBy(memberships, (row) => row.room_id);
    await Promise.all(
      [...byRoom].map(async ([roomId, rows]) => {
        const members = rows.map((row) => row.user_id);
        const [on, off] = [members.filter((id) => online.has(id)), members.filter((id) => !online.has(id))];
        counts.set(roomId, await this.#options.claims.setOnlineIn(roomId, on, off));
      }),
    );
    return counts;
  }
}

function toNews(
  changes: readonly { userId: string; row: UserRow; isOnline: boolean; touch: Touch }[],
  memberships: readonly { room_id: string; user_id: string }[],
  counts: ReadonlyMap<string, number>,
): Pick<NewsBatch, 'rooms' | 'news'> {
  const byUser = Map.groupBy(memberships, (row) => row.user_id);
  const places = new Map<string, number>();
  const placeOf = (roomId: string): number => {
    const place = places.get(roomId) ?? places.size;
    places.set(roomId, place);
    return place;
  };
  const news = changes.map(({ userId, row, isOnline, touch: { tellOwn, except } }) => {
    const rooms = (byUser.get(userId) ?? []).map(({ room_id: roomId }) => placeOf(roomId));
    return { presence: toPresence(row, isOnline), rooms, tellOwn, ...(except !== undefined && { except }) };
  });
  return { rooms: [...places.keys()].map((roomId) => [roomId, counts.get(roomId) ?? 0]), news };
}

function toPresence(row: UserRow, isOnline: boolean): Presence {
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
