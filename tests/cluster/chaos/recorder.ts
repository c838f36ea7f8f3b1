import type { Message } from '@parley/protocol';
import type { Change, ClientRecord, Item, SeenMessage, Send, Session } from '../checker/record.ts';

/** One string object for each message id, however many clients are told of it. */
const ids = new Map<string, string>();

function interned(id: string): string {
  const known = ids.get(id);
  if (known !== undefined) return known;
  ids.set(id, id);
  return id;
}

/** Forgets the ids of the records before; they stay as they are. */
export function forgetIds(): void {
  ids.clear();
}

export function seen({ seq, id, rev }: Message): SeenMessage {
  return { seq, id: interned(id), ...(rev !== undefined && { rev }) };
}

type Untimed<I> = I extends unknown ? Omit<I, 'at'> : never;

/** Writes down what one client sees, for the checker. */
export class Recorder {
  readonly name: string;
  readonly userId: string;
  readonly echo: boolean;
  #sessions: Session[] = [];
  #unanswered: ClientRecord['unanswered'] = [];

  constructor({ name, userId, echo }: { name: string; userId: string; echo: boolean }) {
    this.name = name;
    this.userId = userId;
    this.echo = echo;
  }

  /** Begins a new record with a socket that is open already. */
  restart(): void {
    this.#sessions = [];
    this.#unanswered = [];
    this.begin();
  }

  begin(): void {
    this.#sessions.push({ items: new Map(), sends: [], changes: [] });
  }

  note(roomId: string, item: Untimed<Item>): void {
    const { items } = this.#open;
    const timed = { at: Date.now(), ...item };
    const ofRoom = items.get(roomId);
    if (ofRoom) ofRoom.push(timed);
    else items.set(roomId, [timed]);
  }

  /** The answer is put into it when it comes. */
  sent(send: Omit<Send, 'at'>): Send {
    const noted = { at: Date.now(), ...send };
    this.#open.sends.push(noted);
    return noted;
  }

  changed(change: Omit<Change, 'at'>): Change {
    const noted = { at: Date.now(), ...change };
    this.#open.changes.push(noted);
    return noted;
  }

  failed(roomId: string, clientMsgId: string, why: string): void {
    this.#unanswered.push({ roomId, clientMsgId, why });
  }

  /** @param rooms those that the client hears now */
  record(rooms: readonly string[]): ClientRecord {
    const { name, userId, echo } = this;
    return { name, userId, echo, sessions: this.#sessions, rooms, unanswered: this.#unanswered };
  }

  get #open(): Session {
    if (this.#sessions.length === 0) this.begin();
    return this.#sessions.at(-1) as Session;
  }
}
