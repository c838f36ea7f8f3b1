import type { OwnEntries } from './own-entries.ts';
import type { Standing } from './ports.ts';
import { Sequence, type Span } from './sequence.ts';

/** How far a room has come: its latest message and its latest change. */
export interface Head {
  seq: number;
  rev: number;
}

/** Something that the hearers of a room are told: a new message by `seq`, or a change by `rev`. */
export interface Entry {
  log: 'message' | 'change';
  /** `seq` of a message, `rev` of a change. */
  number: number;
  /** `seq` of the message itself, or of the one that was changed. */
  seq: number;
  /** Made by who wrote it, and known before the commit: by it a sender's own entries are recognised. */
  id: string;
  /** What hearers are told, and what else the feature carries. */
  payload: unknown;
}

/** An entry on its way to hearers, all but one. */
export interface Told<Hearer> extends Entry {
  /** Wrote it, and has it from the answer to its request. */
  except?: Hearer;
}

/** What is missing, and in which log. */
export interface Hole extends Span {
  roomId: string;
  log: Entry['log'];
}

/** Entries that a hold keeps for its hearer. Beyond it the hold is void: the hearer has to sync. */
const MAX_HELD = 2_000;

/** A hearer between its page and the live stream. */
export interface Hold<Hearer> {
  readonly hearer: Hearer;
  /** It was live before, perhaps ahead of the stream. */
  readonly wasLive: boolean;
  readonly mark: Head | undefined;
  /** What was delivered to the others since. */
  readonly kept: Told<Hearer>[];
  isVoid: boolean;
}

export type Tell<Hearer> = (hearers: Iterable<Hearer>, roomId: string, entries: readonly Told<Hearer>[]) => void;

/**
 * The stream of one room on one gateway: what it has told its hearers, and what it may tell next.
 *
 * Entries come from three sides, in any order and any number of times: from this gateway's own commits, from the other
 * gateways through the channel, and from the store, where holes are filled. Both logs are brought into order here, so a
 * hearer is told each entry once, after all before it. A change waits for the message that it changes.
 *
 * A hearer is in one of three states:
 *
 *   absent ──hold──> held ──release(n)──> live ──remove──> absent
 *              ^______________hold__________|
 *
 * held: its page is being read. What the others are told meanwhile is kept for it. The hold begins before the page is
 * read and the stream never runs ahead of what is committed, so a page up to `n` and the kept entries above `n` leave no
 * hole between them; those up to `n` are in the page and are dropped.
 *
 * live: told at once. A page may be ahead of the stream (its last messages are committed but have not arrived here), so
 * a live hearer has a mark: entries up to it are not told again.
 */
export class RoomStream<Hearer> {
  readonly roomId: string;
  /** Its hearers were members when `Standing.membersRev` was this, or became hearers later. */
  membersRev: number;
  readonly #tell: Tell<Hearer>;
  readonly #own: OwnEntries<Hearer>;
  readonly #messages: Sequence<Entry>;
  readonly #changes: Sequence<Entry>;
  /** Changes whose turn it is, but whose message is still missing; in order, with all that follow them. */
  #waiting: Entry[] = [];
  readonly #live = new Set<Hearer>();
  /** Only of live hearers whose page is ahead of the stream. */
  readonly #marks = new Map<Hearer, Head>();
  readonly #holds = new Map<Hearer, Hold<Hearer>>();

  /** @param head where the stream begins: nothing up to it is told */
  constructor(roomId: string, head: Standing, { tell, own }: { tell: Tell<Hearer>; own: OwnEntries<Hearer> }) {
    this.roomId = roomId;
    this.membersRev = head.membersRev;
    this.#tell = tell;
    this.#own = own;
    this.#messages = new Sequence(head.seq);
    this.#changes = new Sequence(head.rev);
  }

  get isDeserted(): boolean {
    return this.#live.size === 0 && this.#holds.size === 0;
  }

  /** How far hearers were told. */
  get position(): Head {
    const [firstWaiting] = this.#waiting;
    return { seq: this.#messages.position, rev: firstWaiting ? firstWaiting.number - 1 : this.#changes.position };
  }

  /** How far the room is known to have come. */
  get known(): Head {
    return { seq: this.#messages.known, rev: this.#changes.known };
  }

  /** Live hearers. */
  get hearers(): ReadonlySet<Hearer> {
    return this.#live;
  }

  /** Live hearers, and those that are between two pages. */
  *listeners(): Iterable<Hearer> {
    yield* this.#live;
    for (const hold of this.#holds.values()) if (hold.wasLive) yield hold.hearer;
  }

  /** Live hearers, and those whose pages are being read. */
  get everybody(): Hearer[] {
    return [...this.#live, ...this.#holds.keys()];
  }

  hears(hearer: Hearer): boolean {
    return this.#live.has(hearer) || this.#holds.has(hearer);
  }

  /** Takes entries in. @returns whether anything is missing now */
  receive(entries: readonly Entry[]): boolean {
    const due: Entry[] = [];
    for (const entry of entries) {
      if (entry.log === 'message') {
        due.push(...this.#messages.accept(entry.number, entry));
      } else {
        this.#messages.knows(entry.seq);
        this.#waiting.push(...this.#changes.accept(entry.number, entry));
      }
    }
    this.#pass([...due, ...this.#changesWhoseMessageIsTold()]);
    return this.holes().length > 0;
  }

  /** The room has come so far. @returns whether anything is missing now */
  knows(head: Head): boolean {
    this.#messages.knows(head.seq);
    this.#changes.knows(head.rev);
    return this.holes().length > 0;
  }

  holes(): Hole[] {
    return (['message', 'change'] as const).flatMap((log) => {
      const missing = this.#logOf(log).missing;
      return missing ? [{ roomId: this.roomId, log, ...missing }] : [];
    });
  }

  /** The stream goes on behind `head`; its hearers have to be told to sync, holds are void. */
  skipTo(head: Head): void {
    for (const hold of this.#holds.values()) hold.isVoid = true;
    const followers = this.#messages.skipTo(head.seq);
    this.#waiting = this.#waiting.filter((change) => change.number > head.rev);
    this.#waiting.push(...this.#changes.skipTo(head.rev));
    this.#pass([...followers, ...this.#changesWhoseMessageIsTold()]);
  }

  /** Begins to keep what the hearer will have to be told after its page. One hold of a hearer at a time. */
  hold(hearer: Hearer): Hold<Hearer> {
    const hold: Hold<Hearer> = {
      hearer,
      wasLive: this.#live.delete(hearer),
      mark: this.#marks.get(hearer),
      kept: [],
      isVoid: false,
    };
    this.#marks.delete(hearer);
    this.#holds.set(hearer, hold);
    return hold;
  }

  /**
   * The hearer has a page up to `page` and goes live.
   *
   * @returns false when the hold is void: too much has come in between
   */
  release(hold: Hold<Hearer>, page: Head): boolean {
    const { hearer, kept } = hold;
    if (this.#holds.get(hearer) !== hold) return true; // it has left since
    if (hold.isVoid) return false;
    this.#holds.delete(hearer);
    this.#live.add(hearer);
    const untold = kept.filter((entry) => entry.number > numberIn(page, entry.log));
    if (untold.length > 0) this.#tell([hearer], this.roomId, untold);
    if (this.#isBehind(page)) this.#marks.set(hearer, page);
    return true;
  }

  /** There is no page after all: the hearer is what it was. @returns false when the hold is void */
  giveBack(hold: Hold<Hearer>): boolean {
    if (hold.wasLive) return this.release(hold, hold.mark ?? { seq: 0, rev: 0 });
    this.#holds.delete(hold.hearer);
    return true;
  }

  remove(hearer: Hearer): void {
    this.#live.delete(hearer);
    this.#marks.delete(hearer);
    this.#holds.delete(hearer);
  }

  #changesWhoseMessageIsTold(): Entry[] {
    let count = 0;
    while ((this.#waiting[count]?.seq ?? Infinity) <= this.#messages.position) count += 1;
    return this.#waiting.splice(0, count);
  }

  #isBehind(page: Head): boolean {
    const { seq, rev } = this.position;
    return page.seq > seq || page.rev > rev;
  }

  #pass(passed: readonly Entry[]): void {
    if (passed.length === 0) return;
    const entries = passed.map((entry): Told<Hearer> => {
      const except = this.#own.take(entry.id);
      return except === undefined ? entry : { ...entry, except };
    });
    for (const hold of this.#holds.values()) {
      if (hold.kept.length + entries.length > MAX_HELD) hold.isVoid = true;
      if (hold.isVoid) hold.kept.length = 0;
      else hold.kept.push(...entries);
    }
    if (this.#marks.size === 0) {
      if (this.#live.size > 0) this.#tell(this.#live, this.roomId, entries);
      return;
    }
    const unmarked = [...this.#live].filter((hearer) => !this.#marks.has(hearer));
    if (unmarked.length > 0) this.#tell(unmarked, this.roomId, entries);
    for (const [hearer, mark] of this.#marks) {
      const untold = entries.filter((entry) => entry.number > numberIn(mark, entry.log));
      if (untold.length > 0) this.#tell([hearer], this.roomId, untold);
      if (!this.#isBehind(mark)) this.#marks.delete(hearer);
    }
  }

  #logOf(log: Entry['log']): Sequence<Entry> {
    return log === 'message' ? this.#messages : this.#changes;
  }
}

function numberIn(head: Head, log: Entry['log']): number {
  return log === 'message' ? head.seq : head.rev;
}
