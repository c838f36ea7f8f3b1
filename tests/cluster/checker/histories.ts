import type { Change, ClientRecord, Item, Send, Session, StoredRoom, Truth } from './record.ts';

/** Histories written by hand: one room, few clients, everything at its simplest. */

export const ROOM = 'room';

type Untimed<I> = I extends unknown ? Omit<I, 'at'> : never;

export function idOf(seq: number): string {
  return `id-${seq}`;
}

export function page(head: number, more: Partial<Extract<Item, { kind: 'page' }>> = {}): Untimed<Item> {
  return { kind: 'page', head: { seq: head, rev: 0 }, messages: [], truncated: false, ...more };
}

export function told(...seqs: number[]): Untimed<Item>[] {
  return seqs.map((seq) => ({ kind: 'new', seq, id: idOf(seq) }));
}

export function updated(...revs: number[]): Untimed<Item>[] {
  return revs.map((rev) => ({ kind: 'updated', rev, seq: 1, id: idOf(1) }));
}

export function session(
  items: readonly Untimed<Item>[],
  { sends = [], changes = [] }: { sends?: Send[]; changes?: Change[] } = {},
): Session {
  return { items: new Map([[ROOM, items.map((item) => ({ at: 0, ...item }))]]), sends, changes };
}

/** A send of `ann` that was stored as `seq`. */
export function sent(seq: number, more: Partial<Send> = {}): Send {
  const answer = { ok: true, seq, id: idOf(seq), duplicate: false } as const;
  return { at: 0, roomId: ROOM, clientMsgId: `ann-${seq}`, isFirst: true, burst: seq, answer, ...more };
}

export function client(sessions: Session[], more: Partial<ClientRecord> = {}): ClientRecord {
  return { name: 'bob', userId: 'bob', echo: false, sessions, rooms: [ROOM], unanswered: [], ...more };
}

export function ann(sessions: Session[], more: Partial<ClientRecord> = {}): ClientRecord {
  return client(sessions, { name: 'ann', userId: 'ann', ...more });
}

/** A room with `count` messages of ann, and changes of the first message by ann. */
export function stored(count: number, changes = 0, more: Partial<StoredRoom> = {}): Truth {
  const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);
  return new Map([
    [
      ROOM,
      {
        base: { seq: 0, rev: 0 },
        head: { seq: count, rev: changes },
        messages: numbers(count).map((seq) => ({ seq, id: idOf(seq), senderId: 'ann', clientMsgId: `ann-${seq}` })),
        changes: numbers(changes).map((rev) => ({ rev, seq: 1, actorId: 'ann' })),
        ...more,
      },
    ],
  ]);
}
