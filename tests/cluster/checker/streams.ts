import type { Anomaly, AnomalyName } from './anomalies.ts';
import { ownChanges, ownMessages, type OwnNumbers } from './own-numbers.ts';
import { checkPage } from './pages.ts';
import type { ClientRecord, Item, Log, Session, StoredRoom, Truth } from './record.ts';

type Complain = (name: AnomalyName, detail: string) => void;

/**
 * Guarantee 2, for one log of one room on one socket: from each page on, every number behind its head comes once and in
 * order, except what the socket itself has asked for. What is left out is held against the stream only when the page
 * or the socket has ended: an acknowledgement may come later than what was stored after it.
 */
class StreamCheck {
  readonly #own: OwnNumbers;
  readonly #complain: Complain;
  /** The socket has a page, and has not left. */
  #hears = false;
  /** `room:resync` was told: what is left out from here to the next page was announced. */
  #isCut = false;
  #head = 0;
  #last = 0;
  readonly #told = new Set<number>();
  readonly #missing = new Map<number, 'poll-skip' | 'int-poll-skip'>();

  constructor(own: OwnNumbers, complain: Complain) {
    this.#own = own;
    this.#complain = complain;
  }

  page(head: number): void {
    this.end();
    this.#hears = true;
    this.#isCut = false;
    this.#head = head;
    this.#last = head;
    this.#told.clear();
  }

  cut(): void {
    this.#isCut = true;
  }

  leave(): void {
    this.end();
    this.#hears = false;
  }

  tell(number: number): void {
    if (!this.#hears) return this.#complain('not-heard', `${number}`);
    if (this.#own.answered.has(number)) this.#complain('own-repeat', `${number}`);
    if (number <= this.#head) return this.#complain('duplicate', `${number}, which the page up to ${this.#head} has`);
    if (this.#told.has(number)) return this.#complain('duplicate', `${number}`);
    if (number < this.#last) {
      this.#complain('nonmonotonic-poll', `${number} after ${this.#last}`);
      this.#missing.delete(number);
    } else if (!this.#isCut) {
      const kind = this.#told.size === 0 ? 'poll-skip' : 'int-poll-skip';
      for (let left = this.#last + 1; left < number; left += 1) this.#missing.set(left, kind);
    }
    this.#told.add(number);
    this.#last = Math.max(this.#last, number);
  }

  /** Nothing more comes on this stream. */
  end(): void {
    for (const [number, name] of this.#missing) {
      if (!this.#own.asked.has(number)) this.#complain(name, `${number} before ${this.#last}`);
    }
    this.#missing.clear();
  }

  /** The run is over, and the room has come to `head`. */
  finish(head: number): void {
    this.end();
    if (!this.#hears) return this.#complain('unseen', `no page of the room at the end`);
    for (let number = this.#last + 1; number <= head; number += 1) {
      if (!this.#own.asked.has(number)) this.#complain('unseen', `${number}, the stream ended at ${this.#last}`);
    }
  }
}

/** All streams of all sockets, and the pages that they begin with. */
export function checkStreams(clients: readonly ClientRecord[], truth: Truth): Anomaly[] {
  const found: Anomaly[] = [];
  for (const client of clients) {
    client.sessions.forEach((session, index) => {
      const isLast = index === client.sessions.length - 1;
      const rooms = new Set([...session.items.keys(), ...(isLast ? client.rooms : [])]);
      for (const roomId of rooms) {
        const stored = truth.get(roomId);
        if (!stored) continue;
        const items = session.items.get(roomId) ?? [];
        const complainOf =
          (log: Log): Complain =>
          (name, detail) => {
            found.push({ name, log, roomId, client: client.name, detail: `session ${index}: ${detail}` });
          };
        for (const item of items) if (item.kind === 'page') checkPage(item, stored, complainOf);
        const hearsAtEnd = isLast && client.rooms.includes(roomId);
        const check = { client, session, roomId, stored, items, hearsAtEnd };
        checkLog('seq', check, complainOf('seq'));
        checkLog('rev', check, complainOf('rev'));
      }
    });
  }
  return found;
}

interface RoomOfSession {
  client: ClientRecord;
  session: Session;
  roomId: string;
  stored: StoredRoom;
  items: readonly Item[];
  hearsAtEnd: boolean;
}

function checkLog(log: Log, room: RoomOfSession, complain: Complain): void {
  const { client, session, roomId, stored, items, hearsAtEnd } = room;
  const own = (log === 'seq' ? ownMessages : ownChanges)(client, session, roomId, stored);
  const stream = new StreamCheck(own, complain);
  for (const item of items) {
    if (item.kind === 'page') stream.page(item.head[log]);
    else if (item.kind === 'resync') stream.cut();
    else if (item.kind === 'left') stream.leave();
    else if (item.kind === 'new' && log === 'seq') stream.tell(item.seq);
    else if (item.kind === 'updated' && log === 'rev') stream.tell(item.rev);
  }
  if (hearsAtEnd) stream.finish(stored.head[log]);
  else stream.end();
}
