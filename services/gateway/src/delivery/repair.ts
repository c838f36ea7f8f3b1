import type { Standing, Store, Timer } from './ports.ts';
import type { Head, Hole, RoomStream } from './room-stream.ts';

/**
 * Why a stream can't be continued: more is missing, or has come while a page was read, than is worth keeping; or nobody
 * knows what became of an entry that the hearer wrote itself.
 */
export type CutReason = 'too far behind' | 'own message unclear';

export interface RepairOptions<Hearer> {
  store: Store;
  timer: Timer;
  /** The stream of a room was cut for these hearers; it goes on behind `head`. */
  cut: (hearers: Iterable<Hearer>, roomId: string, head: Head, reason: CutReason) => void;
  /** Memberships have ended in these rooms: evicts those of everybody in them who are no members any more. */
  evictOutsiders: (roomIds: readonly string[]) => Promise<void>;
  onError: (error: unknown) => void;
  /** Runs at every comparison. */
  onCompare: () => void;
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

/**
 * Keeps the streams of live rooms whole, whatever the channel loses.
 *
 *   - A hole (something later has arrived) gets 40 ms to close by itself, then it is read from the store, all holes of
 *     all rooms with one query.
 *   - A loss with nothing behind it is found by comparing heads: every two seconds for all live rooms with one query,
 *     and at once when the channel comes back.
 *
 * The same comparison finds out that memberships have ended, for whoever was not told at once.
 *
 * A stream that is too far behind is cut: its hearers are told to sync, which is cheaper for everybody.
 */
export class Repair<Hearer> {
  readonly #streams: ReadonlyMap<string, RoomStream<Hearer>>;
  readonly #options: Required<RepairOptions<Hearer>>;
  readonly #withHoles = new Set<RoomStream<Hearer>>();
  #cancelFill: (() => void) | undefined;
  #cancelCompare: (() => void) | undefined;
  #isFilling = false;
  #isComparing = false;
  #isStopped = false;

  /** @param streams the live rooms, as they come and go */
  constructor(streams: ReadonlyMap<string, RoomStream<Hearer>>, options: RepairOptions<Hearer>) {
    this.#streams = streams;
    this.#options = { holeMs: 40, compareEveryMs: 2_000, retryMs: 500, fillLimit: 500, cutBehind: 2_000, ...options };
    this.#scheduleCompare();
  }

  /** The stream waits for something. */
  hasHole(stream: RoomStream<Hearer>): void {
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
    for (const stream of this.#withHoles) {
      const isClosed = this.#streams.get(stream.roomId) !== stream;
      if (isClosed || stream.holes().length === 0) this.#withHoles.delete(stream);
    }
    if (this.#withHoles.size > 0) this.#scheduleFill(gave ? 0 : retryMs);
  }

  #holesToFill(stream: RoomStream<Hearer>): Hole[] {
    const { known, position } = stream;
    if (known.seq - position.seq > this.#options.cutBehind || known.rev - position.rev > this.#options.cutBehind) {
      this.#options.cut(stream.hearers, stream.roomId, known, 'too far behind');
      stream.skipTo(known);
    }
    return stream.holes();
  }

  #scheduleCompare(): void {
    if (this.#isStopped) return;
    this.#cancelCompare = this.#options.timer.after(this.#options.compareEveryMs, () => {
      this.#options.onCompare();
      void this.compareHeads().then(() => this.#scheduleCompare());
    });
  }

  /** Asks the store how far all live rooms have come. */
  async compareHeads(): Promise<void> {
    if (this.#isComparing || this.#streams.size === 0) return;
    this.#isComparing = true;
    try {
      const heads = await this.#options.store.heads([...this.#streams.keys()]);
      await this.#evictOutsiders(heads); // before anything new is read for them
      for (const [roomId, head] of heads) {
        const stream = this.#streams.get(roomId);
        if (stream?.knows(head)) this.hasHole(stream);
      }
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isComparing = false;
    }
  }

  async #evictOutsiders(heads: ReadonlyMap<string, Standing>): Promise<void> {
    const moved = [...heads].flatMap(([roomId, { membersRev }]) => {
      const stream = this.#streams.get(roomId);
      return stream && membersRev > stream.membersRev ? { stream, membersRev } : [];
    });
    if (moved.length === 0) return;
    await this.#options.evictOutsiders(moved.map(({ stream }) => stream.roomId));
    for (const { stream, membersRev } of moved) stream.membersRev = membersRev;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelCompare?.();
    this.#cancelFill?.();
  }
}
