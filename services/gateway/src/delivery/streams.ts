import { OwnEntries } from './own-entries.ts';
import { RoomStream, type Entry, type Head, type Hold, type Hole, type Tell } from './room-stream.ts';
import { Turns } from './turns.ts';

/** Where the entries of other gateways come from. It may lose, repeat and reorder them. */
export interface Channel {
  /** Resolves when what is published from now on arrives, or when the channel is known to be away. */
  open(roomId: string): Promise<void>;
  close(roomId: string): void;
}

/** Where all that is committed can be read. */
export interface Store {
  /** Rooms that do not exist are left out. */
  heads(roomIds: readonly string[]): Promise<ReadonlyMap<string, Head>>;
  /** Reads holes, of each at most `limit` entries from its beginning. */
  fill(holes: readonly Hole[], limit: number): Promise<ReadonlyMap<string, readonly Entry[]>>;
}

export interface Timer {
  /** @returns what cancels it */
  after(ms: number, run: () => void): () => void;
}

export interface StreamsOptions<Hearer> {
  channel: Channel;
  store: Store;
  timer: Timer;
  tell: Tell<Hearer>;
  /** The stream of a room was cut for these hearers; it goes on behind `head`. */
  cut: (hearers: Iterable<Hearer>, roomId: string, head: Head) => void;
  onError: (error: unknown) => void;
  /** How long a hole may close by itself, ms. Default 40: other gateways' publishes come within a few. */
  holeMs?: number;
  /** How often heads are compared, ms. Default 2,000. */
  compareEveryMs?: number;
  /** How long after the store failed it is asked again, ms. Default 500. */
  retryMs?: number;
  /** Entries read for one hole at a time. Default 500. */
  fillLimit?: number;
  /** A stream that is further behind is cut. Default 2,000. */
  cutBehind?: number;
}

/** A hearer on its way from pages to streams. */
export interface HandOver {
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
 * that is committed after the head can be missed. Then the stream is kept whole in two ways:
 *
 *   - a hole (something later has arrived) gets 40 ms to close by itself, then it is read from the store, all holes of
 *     all rooms with one query;
 *   - a loss with nothing behind it is found by comparing heads: every two seconds for all live rooms with one query,
 *     and at once when the channel comes back.
 *
 * A stream that is too far behind is cut: its hearers are told to sync, which is cheaper for everybody.
 */
export class Streams<Hearer> {
  readonly #options: Required<StreamsOptions<Hearer>>;
  readonly #own = new OwnEntries<Hearer>();
  readonly #streams = new Map<string, RoomStream<Hearer>>();
  /** What arrived for rooms that are being opened, and the openings themselves. */
  readonly #opening = new Map<string, { early: Entry[]; done: Promise<void> }>();
  /** How many `hold`s are under way for a room: it stays open for them. */
  readonly #awaited = new Map<string, number>();
  readonly #turns = new Turns<Hearer>();
  readonly #roomsOf = new Map<Hearer, Set<string>>();
  readonly #withHoles = new Set<RoomStream<Hearer>>();
  #cancelFill: (() => void) | undefined;
  #cancelCompare: (() => void) | undefined;
  #isFilling = false;
  #isComparing = false;
  #isStopped = false;

  constructor(options: StreamsOptions<Hearer>) {
    this.#options = { holeMs: 40, compareEveryMs: 2_000, retryMs: 500, fillLimit: 500, cutBehind: 2_000, ...options };
    this.#scheduleCompare();
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

  /** The hearer writes an entry of this id, and will be told by the answer. Before the commit. */
  expectOwn(id: string, hearer: Hearer): void {
    this.#own.add(id, hearer);
  }

  /**
   * The outcome of an entry of one's own: after `receive`, when it was committed.
   *
   * @param committed where it stands; undefined when nothing new was written
   */
  settleOwn(id: string, committed?: { roomId: string; entry: Entry }): void {
    const position = committed && this.#streams.get(committed.roomId)?.position;
    const number = committed?.entry.log === 'message' ? position?.seq : position?.rev;
    // Still to be passed by its stream? Otherwise nobody will ask for it any more.
    if (committed && number !== undefined && number < committed.entry.number) this.#own.settle(id);
    else this.#own.delete(id);
  }

  /** Entries from a commit of this gateway, or from the channel. Of no interest when nobody here hears the room. */
  receive(roomId: string, entries: readonly Entry[]): void {
    this.#opening.get(roomId)?.early.push(...entries);
    const stream = this.#streams.get(roomId);
    if (stream?.receive(entries)) this.#hasHole(stream);
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
    return { complete };
  }

  /** Without a page nothing has changed: a hearer that heard the room goes on, another one does not begin. */
  #release(hold: Hold<Hearer>, roomId: string, page: Head | undefined): void {
    const stream = this.#streams.get(roomId);
    if (!stream) return;
    const { hearer } = hold;
    if (!(page ? stream.release(hold, page) : stream.giveBack(hold))) {
      stream.remove(hearer);
      this.#options.cut([hearer], roomId, stream.known);
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

  /** The hearer is gone. */
  removeFromAll(hearer: Hearer): void {
    this.#turns.cancelAll(hearer);
    for (const roomId of this.roomsOf(hearer)) this.remove(hearer, roomId);
  }

  /** Asks the store how far all live rooms have come. For when the channel was away. */
  async compareHeads(): Promise<void> {
    if (this.#isComparing || this.#streams.size === 0) return;
    this.#isComparing = true;
    try {
      const heads = await this.#options.store.heads([...this.#streams.keys()]);
      for (const [roomId, head] of heads) {
        const stream = this.#streams.get(roomId);
        if (stream?.knows(head)) this.#hasHole(stream);
      }
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isComparing = false;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelCompare?.();
    this.#cancelFill?.();
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
        if (stream.receive(early)) this.#hasHole(stream);
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
    this.#withHoles.delete(stream);
    this.#options.channel.close(roomId);
  }

  #hasHole(stream: RoomStream<Hearer>): void {
    this.#withHoles.add(stream);
    if (!this.#isFilling) this.#scheduleFill(this.#options.holeMs);
  }

  #scheduleFill(ms: number): void {
    this.#cancelFill ??= this.#options.timer.after(ms, () => {
      this.#cancelFill = undefined;
      void this.#fill();
    });
  }

  /** Reads what is missing. Whatever is still missing afterwards is read soon, or later when the store gave nothing. */
  async #fill(): Promise<void> {
    const { store, fillLimit, retryMs, onError } = this.#options;
    this.#isFilling = true;
    let gave = false;
    try {
      const holes = [...this.#withHoles].flatMap((stream) => this.#holesToFill(stream));
      if (holes.length > 0) {
        const filled = await store.fill(holes, fillLimit);
        for (const [roomId, entries] of filled) {
          gave ||= entries.length > 0;
          this.#streams.get(roomId)?.receive(entries);
        }
      }
    } catch (error) {
      onError(error);
    }
    this.#isFilling = false;
    if (this.#isStopped) return;
    for (const stream of this.#withHoles) if (stream.holes().length === 0) this.#withHoles.delete(stream);
    if (this.#withHoles.size > 0) this.#scheduleFill(gave ? 0 : retryMs);
  }

  #holesToFill(stream: RoomStream<Hearer>): Hole[] {
    const { known, position } = stream;
    if (known.seq - position.seq > this.#options.cutBehind || known.rev - position.rev > this.#options.cutBehind) {
      this.#options.cut(stream.hearers, stream.roomId, known);
      stream.skipTo(known);
    }
    return stream.holes();
  }

  #scheduleCompare(): void {
    if (this.#isStopped) return;
    this.#cancelCompare = this.#options.timer.after(this.#options.compareEveryMs, () => {
      this.#own.sweep();
      void this.compareHeads().then(() => this.#scheduleCompare());
    });
  }
}
