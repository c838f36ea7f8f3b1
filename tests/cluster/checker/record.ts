/**
 * What the clients of a run saw, as the checker reads it. Numbers are those of the contract: `seq` of messages, `rev`
 * of changes. Times are milliseconds since the epoch.
 */

/** Which of a room's two logs. */
export type Log = 'seq' | 'rev';

export interface Head {
  seq: number;
  rev: number;
}

/** A message as a page or an event showed it. */
export interface SeenMessage {
  seq: number;
  id: string;
  /** Of its latest change, when there was one. */
  rev?: number;
}

/** What a socket was told of one room, in the order it arrived. Acknowledgements of one's own writes are not here. */
export type Item = { at: number } & (
  | {
      kind: 'page';
      /** The cursor that was asked from; absent for a join without one. */
      from?: Head;
      head: Head;
      messages: readonly SeenMessage[];
      changed?: readonly SeenMessage[];
      truncated: boolean;
    }
  | { kind: 'new'; seq: number; id: string }
  | { kind: 'updated'; rev: number; seq: number; id: string }
  /** Read besides the stream, to fill what a truncated page left out. */
  | { kind: 'history'; messages: readonly SeenMessage[] }
  | { kind: 'resync' }
  /** The acknowledgement of `room:leave`. */
  | { kind: 'left' }
);

/** One `message:send` on one socket. A retry is another one, with the same `clientMsgId`. */
export interface Send {
  at: number;
  roomId: string;
  clientMsgId: string;
  /** The first time that this message was sent, on any socket. */
  isFirst: boolean;
  /** Sends with the same number were sent one after the other without waiting for an answer. */
  burst: number;
  /** Absent when none came on this socket. */
  answer?: { ok: true; seq: number; id: string; duplicate: boolean } | { ok: false; code: string };
}

/** One `message:edit`, `message:delete` or `message:react` on one socket. */
export interface Change {
  at: number;
  roomId: string;
  seq: number;
  isFirst: boolean;
  answer?: { ok: true; rev: number | undefined } | { ok: false; code: string };
}

/** One connection, from CONNECT to its end. */
export interface Session {
  items: Map<string, Item[]>;
  sends: Send[];
  changes: Change[];
}

export interface ClientRecord {
  name: string;
  userId: string;
  /** It hears its own messages as events, too. */
  echo: boolean;
  /** In the order they began; the last one is still open at the end. */
  sessions: Session[];
  /** The rooms that it hears at the end. */
  rooms: readonly string[];
  /** Messages that were given up, or have no answer at the end. */
  unanswered: { roomId: string; clientMsgId: string; why: string }[];
}

export interface StoredMessage {
  seq: number;
  id: string;
  senderId: string;
  clientMsgId: string;
}

export interface StoredChange {
  rev: number;
  /** Of the message. */
  seq: number;
  actorId: string;
}

/** One room as PostgreSQL has it after the run: everything behind `base`. */
export interface StoredRoom {
  base: Head;
  head: Head;
  messages: readonly StoredMessage[];
  changes: readonly StoredChange[];
}

export type Truth = ReadonlyMap<string, StoredRoom>;
