import type { ClientRecord, Session, StoredRoom } from './record.ts';

/** Which numbers of a room one socket may be left without, since they are answers to its own requests. */
export interface OwnNumbers {
  /** Written by a request of this socket, answered or not. */
  asked: ReadonlySet<number>;
  /** Answered as new: must not be told as well. */
  answered: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

/** With `echo` everything is told, so nothing may be left out. */
export function ownMessages(client: ClientRecord, session: Session, roomId: string, stored: StoredRoom): OwnNumbers {
  if (client.echo) return { asked: NONE, answered: NONE };
  const asked = new Set<number>();
  const answered = new Set<number>();
  const sent = new Set<string>();
  for (const { roomId: where, clientMsgId, answer } of session.sends) {
    if (where !== roomId) continue;
    sent.add(clientMsgId);
    if (!answer?.ok) continue;
    asked.add(answer.seq);
    if (!answer.duplicate) answered.add(answer.seq);
  }
  for (const { seq, senderId, clientMsgId } of stored.messages) {
    if (senderId === client.userId && sent.has(clientMsgId)) asked.add(seq);
  }
  return { asked, answered };
}

/** A repeated request is answered with the message as it is, which may be somebody else's change: only first ones count. */
export function ownChanges(client: ClientRecord, session: Session, roomId: string, stored: StoredRoom): OwnNumbers {
  if (client.echo) return { asked: NONE, answered: NONE };
  const revs = new Set<number>();
  const changed = new Set<number>();
  for (const { roomId: where, seq, isFirst, answer } of session.changes) {
    if (where !== roomId) continue;
    changed.add(seq);
    if (isFirst && answer?.ok && answer.rev !== undefined) revs.add(answer.rev);
  }
  const asked = new Set<number>();
  const answered = new Set<number>();
  for (const { rev, seq, actorId } of stored.changes) {
    if (actorId !== client.userId || !changed.has(seq)) continue;
    asked.add(rev);
    if (revs.has(rev)) answered.add(rev);
  }
  return { asked, answered };
}
