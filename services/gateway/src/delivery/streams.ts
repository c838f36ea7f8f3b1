import { OwnEntries } from './own-entries.ts';
import type { Channel } from './ports.ts';
import { Repair, type RepairOptions } from './repair.ts';
import { RoomStream, type Entry, type Head, type Hold, type Tell } from './room-stream.ts';
import { Turns } from './turns.ts';

export interface StreamsOptions<Hearer> extends Omit<RepairOptions<Hearer>, 'onCompare'> {
  channel: Channel;
  tell: Tell<Hearer>;
}

/** A hearer on its way from pages to streams. */
export interface HandOver {
  /** It was evicted from a room meanwhile: what was read of that room must not be given to it any more. */
  readonly isEvicted: boolean;
  /**
   * The pages were given, so that what comes after them is told, at once and from now on. Has to be called, once; a room
   * without a page is as it was before.
   */
  complete(pages: ReadonlyMap<string, Head>): void;
}

/**
 * The live rooms of one gateway.
 *
 * A room is live while somebody here hears it. Opening one means: listen to its channel, then read its head; so nothing
 * that is committed after the head can be missed. From then on `Repair` keeps its stream whole.
 */
export class Streams<Hearer> {
  readonly #options: StreamsOptions<Hearer>;
  readonly #own = new OwnEntries<Hearer>();
  readonly #streams = new Map<string, RoomStream<Hearer>>();
  /** What arrived for rooms that are being opened, and the openings themselves. */
  readonly #opening = new Map<string, { early: Entry[]; done: Promise<void> }>();
  /** How many `hold`s are under way for a room: it stays open for them. */
  readonly #awaited = new Map<string, number>();
  readonly #turns = new Turns<Hearer>();
  readonly #roomsOf = new Map<Hearer, Set<string>>();
  readonly #repair: Repair<Hearer>;

  constructor(options: StreamsOptions<Hearer>) {
    this.#options = options;
    this.#repair = new Repair(this.#streams, { ...options, onCompare: () => this.#own.sweep() });
  }

  /** Live rooms. */
  get size(): number {
    return this.#streams.size;
  }

  /** Whether the hearer is told what happens in the room. */
  hears(hearer: Hearer, roomId: string): boolean {
    return this.#roomsOf.get(hearer)?.has(roomId) ?? false;
  }

  roomsOf(hearer: Hearer): string[] {
    return [...(this.#roomsOf.get(hearer) ?? [])];
  }

  /** All that hear the room at this moment; not those on their way to their first page. */
  *hearersOf(roomId: string): Iterable<Hearer> {
    const stream = this.#streams.get(roomId);
    if (stream) yield* stream.listeners();
  }

  /** All that hear the room or wait for a page of it: who must not be told of it any more is among them. */
  everybodyIn(roomId: string): Hearer[] {
    return this.#streams.get(roomId)?.everybody ?? [];
  }

  /** The hearer writes an entry of this id, and will be told by the answer. Before the commit. */
  expectOwn(id: string, hearer: Hearer): void {
    this.#own.add(id, hearer);
  }

  /**
   * The outcome of an entry of one's own: after `receive`, when it was committed.
   *
   * @param committed where it stands; undefined when nothing new was written
   */
  settleOwn(id: string, committed?: { roomId: string; entry: Pick<Entry, 'log' | 'number'> }): void {
    const position = committed && this.#streams.get(committed.roomId)?.position;
    const number = committed?.entry.log === 'message' ? position?.seq : position?.rev;
    // Still to be passed by its stream? Otherwise nobody will ask for it any more.
    if (committed && number !== undefined && number < committed.entry.number) this.#own.settle(id);
    else this.#own.delete(id);
  }

  /**
   * Nobody knows what became of an entry of one's own. If its stream has passed it, it was committed, and its writer is
   * the only one who was not told: its stream is cut.
   */
  failOwn(id: string, roomId: string, hearer: Hearer): void {
    const stream = this.#streams.get(roomId);
    if (this.#own.delete(id) || !stream || !this.hears(hearer, roomId)) return;
    this.#options.cut([hearer], roomId, stream.known, 'own message unclear');
  }

  /** Entries from a commit of this gateway, or from the channel. Of no interest when nobody here hears the room. */
  receive(roomId: string, entries: readonly Entry[]): void {
    this.#opening.get(roomId)?.early.push(...entries);
    const stream = this.#streams.get(roomId);
    if (stream?.receive(entries)) this.#repair.hasHole(stream);
  }

  /**
   * Begins to let a hearer hear rooms: from now on nothing of them is told to it until the hand-over is completed with
   * the heads of the pages that it was given. Pages have to be read after this resolves. A hearer hands over one room
   * at a time: a second request for it waits for the first one's answer.
   *
   * @throws what the store throws; then everything is as before
   */
  async begin(hearer: Hearer, roomIds: readonly string[]): Promise<HandOver> {
    const { turns, end } = await this.#turns.take(hearer, roomIds);
    const holds = new Map<string, Hold<Hearer>>();
    const hold = (): void => {
      for (const [roomId, turn] of turns) {
        const stream = this.#streams.get(roomId);
        if (stream && !turn.isCancelled && !holds.has(roomId)) holds.set(roomId, stream.hold(hearer));
      }
    };
    const complete = (pages: ReadonlyMap<string, Head>): void => {
      for (const [roomId, held] of holds) this.#release(held, roomId, pages.get(roomId));
      for (const roomId of turns.keys()) this.#awaitedNoMore(roomId);
      end();
    };
    for (const roomId of turns.keys()) this.#awaited.set(roomId, (this.#awaited.get(roomId) ?? 0) + 1);
    hold();
    try {
      await this.#openAll([...turns.keys()]);
    } catch (error) {
      complete(new Map());
      throw error;
    }
    hold();
    return {
      complete,
      get isEvicted() {
        return [...turns.values()].some((turn) => turn.isEvicted);
      },
    };
  }

  /** Without a page nothing has changed: a hearer that heard the room goes on, another one does not begin. */
  #release(hold: Hold<Hearer>, roomId: string, page: Head | undefined): void {
    const stream = this.#streams.get(roomId);
    if (!stream) return;
    const { hearer } = hold;
    if (!(page ? stream.release(hold, page) : stream.giveBack(hold))) {
      stream.remove(hearer);
      this.#options.cut([hearer], roomId, stream.known, 'too far behind');
    }
    this.#note(hearer, roomId, stream.hears(hearer));
  }

  #note(hearer: Hearer, roomId: string, hears: boolean): void {
    const rooms = this.#roomsOf.get(hearer) ?? new Set();
    if (hears) {
      this.#roomsOf.set(hearer, rooms.add(roomId));
    } else {
      rooms.delete(roomId);
      if (rooms.size === 0) this.#roomsOf.delete(hearer);
    }
  }

  /** From here on the hearer is told nothing more of the room, whatever hand-over is under way. */
  remove(hearer: Hearer, roomId: string): void {
    this.#turns.cancel(hearer, roomId);
    this.#note(hearer, roomId, false);
    this.#streams.get(roomId)?.remove(hearer);
    this.#closeIfDeserted(roomId);
  }

  /** The same when it may not hear the room any more: also what hand-overs under way have read must not reach it. */
  evict(hearer: Hearer, roomId: string): void {
    this.#turns.evict(hearer, roomId);
    this.remove(hearer, roomId);
  }

  /** The hearer is gone: also from the rooms whose first page is being read for it. */
  removeFromAll(hearer: Hearer): void {
    for (const roomId of new Set([...this.roomsOf(hearer), ...this.#turns.roomsOf(hearer)]))
      this.remove(hearer, roomId);
  }

  /** Asks the store how far all live rooms have come. For when the channel was away. */
  compareHeads(): Promise<void> {
    return this.#repair.compareHeads();
  }

  stop(): void {
    this.#repair.stop();
    for (const roomId of this.#streams.keys()) this.#options.channel.close(roomId);
    this.#streams.clear();
    this.#roomsOf.clear();
  }

  /** Opens the rooms that are not open: their channels side by side, their heads with one query. */
  async #openAll(roomIds: readonly string[]): Promise<void> {
    const closed = roomIds.filter((roomId) => !this.#streams.has(roomId) && !this.#opening.has(roomId));
    if (closed.length > 0) {
      const early = new Map(closed.map((roomId) => [roomId, [] as Entry[]]));
      const done = this.#openClosed(early);
      for (const [roomId, entries] of early) this.#opening.set(roomId, { early: entries, done });
    }
    await Promise.all(new Set(roomIds.flatMap((roomId) => this.#opening.get(roomId)?.done ?? [])));
  }

  async #openClosed(rooms: ReadonlyMap<string, readonly Entry[]>): Promise<void> {
    const { channel, store, tell } = this.#options;
    const own = this.#own;
    const roomIds = [...rooms.keys()];
    try {
      await Promise.all(roomIds.map((roomId) => channel.open(roomId)));
      const heads = await store.heads(roomIds);
      for (const [roomId, early] of rooms) {
        const head = heads.get(roomId);
        if (!head) {
          channel.close(roomId);
          continue;
        }
        const stream = new RoomStream<Hearer>(roomId, head, { tell, own });
        this.#streams.set(roomId, stream);
        if (stream.receive(early)) this.#repair.hasHole(stream);
      }
    } catch (error) {
      for (const roomId of roomIds) channel.close(roomId);
      throw error;
    } finally {
      for (const roomId of roomIds) this.#opening.delete(roomId);
    }
  }

  #awaitedNoMore(roomId: string): void {
    const left = (this.#awaited.get(roomId) ?? 1) - 1;
    if (left > 0) this.#awaited.set(roomId, left);
    else this.#awaited.delete(roomId);
    this.#closeIfDeserted(roomId);
  }

  #closeIfDeserted(roomId: string): void {
    const stream = this.#streams.get(roomId);
    if (!stream?.isDeserted || this.#awaited.has(roomId)) return;
    this.#streams.delete(roomId);
    this.#options.channel.close(roomId);
  }
}
