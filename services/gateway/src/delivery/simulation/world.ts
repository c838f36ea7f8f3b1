import { MessageWriter, type NewMessage } from '../message-writer.ts';
import type { Entry, Head, Hole } from '../room-stream.ts';
import type { Channel, Standing, Store } from '../ports.ts';
import { Streams } from '../streams.ts';
import { SimulatedClock } from './clock.ts';

/** What the network does to one publish on its way to one gateway. */
export interface Delivery {
  /** Never arrives. */
  lost: boolean;
  /** Arrives a second time. */
  repeated: boolean;
  delayMs: number;
}

/** Chance, as the simulation takes it: an endless list of numbers from 0 to 99. */
export type Dice = () => number;

export class StoreAway extends Error {}
export class RoomLocked extends Error {}
/** Not for who was expelled. */
export class Refused extends Error {}

/** How long a commit waits for a room that somebody holds, ms. */
const LOCK_TIMEOUT_MS = 300;

interface Room {
  messages: Entry[];
  changes: Entry[];
  /** Everybody is a member but these. */
  outsiders: Set<string>;
  membersRev: number;
}

/** PostgreSQL, as far as delivery sees it: commits in order, and tells what is committed. */
export class SimulatedStore implements Store {
  readonly rooms = new Map<string, Room>();
  isAway = false;
  /** Rooms that somebody holds. */
  readonly held = new Set<string>();
  readonly #clock: SimulatedClock;
  readonly #dice: Dice;

  constructor(clock: SimulatedClock, dice: Dice, roomIds: readonly string[]) {
    this.#clock = clock;
    this.#dice = dice;
    for (const roomId of roomIds) {
      this.rooms.set(roomId, { messages: [], changes: [], outsiders: new Set(), membersRev: 0 });
    }
  }

  headOf(roomId: string): Head {
    const room = this.rooms.get(roomId);
    return { seq: room?.messages.length ?? 0, rev: room?.changes.length ?? 0 };
  }

  isOutsider(roomId: string, name: string): boolean {
    return this.rooms.get(roomId)?.outsiders.has(name) ?? false;
  }

  /** Ends a membership. @returns whether it was committed, and there was one */
  expel(roomId: string, name: string): boolean {
    const room = this.rooms.get(roomId);
    if (!room || this.isAway || room.outsiders.has(name)) return false;
    room.outsiders.add(name);
    room.membersRev += 1;
    return true;
  }

  admit(roomId: string, name: string): void {
    if (!this.isAway) this.rooms.get(roomId)?.outsiders.delete(name);
  }

  async findOutsiders(pairs: readonly (readonly [roomId: string, name: string])[]) {
    await this.#reach();
    const found = pairs.filter(([roomId, name]) => this.isOutsider(roomId, name));
    await this.#clock.wait(this.#dice() % 10);
    return found;
  }

  /** Takes time, may fail before or after the commit. */
  async append(batch: readonly NewMessage[]): Promise<(Entry & { roomId: string; isNew: boolean })[]> {
    await this.#reach();
    await this.#lock(batch);
    const outcomes = batch.map((message) => this.#appendOne(message));
    await this.#clock.wait(this.#dice() % 8);
    if (this.isAway) throw new StoreAway('the answer is lost, the commit is not');
    return outcomes;
  }

  change(roomId: string, seq: number, id: string): Entry | undefined {
    const room = this.rooms.get(roomId);
    if (!room || this.isAway || seq < 1 || seq > room.messages.length) return undefined;
    const number = room.changes.length + 1;
    const entry: Entry = { log: 'change', number, seq, id, payload: `${id} of ${seq}` };
    room.changes.push(entry);
    return entry;
  }

  async heads(roomIds: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
    await this.#reach();
    const standingOf = (roomId: string): Standing => ({
      ...this.headOf(roomId),
      membersRev: this.rooms.get(roomId)?.membersRev ?? 0,
    });
    const heads = new Map(roomIds.map((roomId) => [roomId, standingOf(roomId)]));
    await this.#clock.wait(this.#dice() % 10); // the answer travels, and may be old when it arrives
    return heads;
  }

  async fill(holes: readonly Hole[], limit: number): Promise<ReadonlyMap<string, readonly Entry[]>> {
    await this.#reach();
    const filled = new Map<string, Entry[]>();
    for (const { roomId, log, after, upTo } of holes) {
      const room = this.rooms.get(roomId);
      const entries = (log === 'message' ? room?.messages : room?.changes)?.slice(after, upTo).slice(0, limit) ?? [];
      filled.set(roomId, [...(filled.get(roomId) ?? []), ...entries]);
    }
    await this.#clock.wait(this.#dice() % 10);
    return filled;
  }

  /** What a join or sync reads: the head, and whatever is up to it. */
  async readPage(roomId: string, name: string): Promise<Head> {
    await this.#reach();
    if (this.isOutsider(roomId, name)) throw new Refused();
    const head = this.headOf(roomId);
    await this.#clock.wait(this.#dice() % 30);
    return head;
  }

  #appendOne(message: NewMessage): Entry & { roomId: string; isNew: boolean } {
    const messages = this.rooms.get(message.roomId)?.messages ?? [];
    const stored = messages.find(({ payload }) => payload === message.clientMsgId);
    if (stored) return { ...stored, roomId: message.roomId, isNew: false };
    const number = messages.length + 1;
    const entry: Entry = { log: 'message', number, seq: number, id: message.id, payload: message.clientMsgId };
    messages.push(entry);
    return { ...entry, roomId: message.roomId, isNew: true };
  }

  async #lock(batch: readonly NewMessage[]): Promise<void> {
    const isHeld = (): boolean => batch.some(({ roomId }) => this.held.has(roomId));
    const until = this.#clock.now + LOCK_TIMEOUT_MS;
    while (isHeld()) {
      if (this.isAway) throw new StoreAway('PostgreSQL has gone');
      if (this.#clock.now >= until) throw new RoomLocked();
      await this.#clock.wait(20);
    }
  }

  async #reach(): Promise<void> {
    await this.#clock.wait(this.#dice() % 8);
    if (this.isAway) throw new StoreAway('PostgreSQL is away');
  }
}

/** Redis, as far as delivery sees it: carries publishes to the gateways that listen, when it feels like it. */
export class SimulatedChannel {
  isAway = false;
  network: (dice: Dice) => Delivery = () => ({ lost: false, repeated: false, delayMs: 1 });
  readonly #clock: SimulatedClock;
  readonly #dice: Dice;
  readonly #listeners = new Map<string, Map<string, (entries: readonly Entry[]) => void>>();

  constructor(clock: SimulatedClock, dice: Dice) {
    this.#clock = clock;
    this.#dice = dice;
  }

  of(gateway: string, receive: (roomId: string, entries: readonly Entry[]) => void): Channel {
    return {
      open: async (roomId) => {
        await this.#clock.wait(this.#dice() % 5);
        const listeners = this.#listeners.get(roomId) ?? new Map();
        this.#listeners.set(
          roomId,
          listeners.set(gateway, (entries: readonly Entry[]) => receive(roomId, entries)),
        );
      },
      close: (roomId) => this.#listeners.get(roomId)?.delete(gateway),
    };
  }

  forget(gateway: string): void {
    for (const listeners of this.#listeners.values()) listeners.delete(gateway);
  }

  publish(from: string, roomId: string, entries: readonly Entry[]): void {
    if (this.isAway) return;
    for (const gateway of this.#listeners.get(roomId)?.keys() ?? []) {
      if (gateway === from) continue;
      const { lost, repeated, delayMs } = this.network(this.#dice);
      const arrive = (): void => {
        if (!this.isAway) this.#listeners.get(roomId)?.get(gateway)?.(entries);
      };
      if (lost) continue;
      this.#clock.after(delayMs, arrive);
      if (repeated) this.#clock.after(delayMs + (this.#dice() % 20), arrive);
    }
  }
}

export { MessageWriter, SimulatedClock, Streams };
