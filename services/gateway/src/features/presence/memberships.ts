import { Batches } from './batches.ts';

const NOBODY: ReadonlySet<string> = new Set();
const NOWHERE: ReadonlySet<string> = new Set();

interface Known {
  rooms: Set<string>;
  /** What happened while the rooms are being read: it counts more than what is read. */
  early: Map<string, boolean> | undefined;
}

export interface MembershipsOptions {
  /** The rooms that users are members of. */
  read: (userIds: readonly string[]) => Promise<{ room_id: string; user_id: string }[]>;
  onError: (error: unknown) => void;
}

/**
 * The rooms of the users who are connected here: by them a gateway knows which of its sockets share a room with somebody.
 * Read when a user comes, kept true by what the gateways tell each other about members, and read anew when something of
 * that may have been lost.
 */
export class Memberships {
  readonly #users = new Map<string, Known>();
  readonly #usersIn = new Map<string, Set<string>>();
  readonly #reading: Batches<string, true>;
  readonly #read: MembershipsOptions['read'];

  constructor({ read, onError }: MembershipsOptions) {
    this.#read = read;
    this.#reading = new Batches<string, true>({ work: (batch) => this.#readAll([...batch.keys()]), onError });
  }

  /** Resolves once the user's rooms are known, or PostgreSQL is away: then they will be when it is back. */
  hold(userId: string): Promise<void> {
    const known = this.#users.get(userId);
    if (known && !known.early) return Promise.resolve();
    if (!known) this.#users.set(userId, { rooms: new Set(), early: new Map() });
    return this.#reading.add(userId, true);
  }

  /**
   * The user's rooms are about to be read by somebody else: from now on it counts what happens to them.
   *
   * @returns takes what was read. It is of no use when it may be older than what is known: then `hold` reads.
   */
  expect(userId: string): (roomIds: readonly string[]) => void {
    const known = this.#users.get(userId) ?? { rooms: new Set<string>(), early: new Map<string, boolean>() };
    this.#users.set(userId, known);
    const { early } = known;
    return (roomIds) => {
      if (early && known.early === early && this.#users.get(userId) === known) this.#take(userId, known, roomIds);
    };
  }

  drop(userId: string): void {
    for (const roomId of this.#users.get(userId)?.rooms ?? []) this.#remove(roomId, userId);
    this.#users.delete(userId);
  }

  /** The users of the room who are connected here. */
  usersIn(roomId: string): ReadonlySet<string> {
    return this.#usersIn.get(roomId) ?? NOBODY;
  }

  roomsOf(userId: string): ReadonlySet<string> {
    return this.#users.get(userId)?.rooms ?? NOWHERE;
  }

  /** Somebody became a member, or is one no more. */
  note(roomId: string, userId: string, isMember: boolean): void {
    const known = this.#users.get(userId);
    if (!known) return;
    known.early?.set(roomId, isMember);
    this.#set(known, userId, roomId, isMember);
  }

  /** Reads everybody's rooms again. */
  async readAnew(): Promise<void> {
    for (const [userId, known] of this.#users) {
      known.early = new Map(known.early); // another one: what is being read for a CONNECT may be too old
      void this.#reading.add(userId, true);
    }
    await this.#reading.attempted();
  }

  async stop(): Promise<void> {
    await this.#reading.drained();
    this.#reading.stop();
  }

  async #readAll(userIds: readonly string[]): Promise<void> {
    const rows = await this.#read(userIds);
    const byUser = Map.groupBy(rows, (row) => row.user_id);
    for (const userId of userIds) {
      const known = this.#users.get(userId);
      if (known?.early) this.#take(userId, known, byUser.get(userId)?.map((row) => row.room_id) ?? []);
    }
  }

  #take(userId: string, known: Known, roomIds: readonly string[]): void {
    const rooms = new Set(roomIds);
    for (const [roomId, isMember] of known.early ?? [])
      if (isMember) rooms.add(roomId);
      else rooms.delete(roomId);
    known.early = undefined;
    for (const roomId of known.rooms) if (!rooms.has(roomId)) this.#set(known, userId, roomId, false);
    for (const roomId of rooms) this.#set(known, userId, roomId, true);
  }

  #set(known: Known, userId: string, roomId: string, isMember: boolean): void {
    if (!isMember) {
      known.rooms.delete(roomId);
      this.#remove(roomId, userId);
      return;
    }
    known.rooms.add(roomId);
    const users = this.#usersIn.get(roomId);
    if (users) users.add(userId);
    else this.#usersIn.set(roomId, new Set([userId]));
  }

  #remove(roomId: string, userId: string): void {
    const users = this.#usersIn.get(roomId);
    users?.delete(userId);
    if (users?.size === 0) this.#usersIn.delete(roomId);
  }
}
