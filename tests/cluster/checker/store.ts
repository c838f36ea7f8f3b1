import type { Anomaly } from './anomalies.ts';
import type { ClientRecord, Item, SeenMessage, StoredMessage, Truth } from './record.ts';

/** Guarantees 1 and 3, and that all agree: what clients saw and were promised against what is stored. */
export function checkStore(clients: readonly ClientRecord[], truth: Truth): Anomaly[] {
  const found: Anomaly[] = [];
  for (const [roomId, { base, head, messages, changes }] of truth) {
    const complain = (name: Anomaly['name'], log: Anomaly['log'], detail: string): void => {
      found.push({ name, log, roomId, detail });
    };
    checkNumbers(
      messages.map(({ seq }) => seq),
      { from: base.seq, to: head.seq },
      (detail) => complain('log-gap', 'seq', detail),
    );
    checkNumbers(
      changes.map(({ rev }) => rev),
      { from: base.rev, to: head.rev },
      (detail) => complain('log-gap', 'rev', detail),
    );
    const places = Map.groupBy(messages, ({ senderId, clientMsgId }) => JSON.stringify([senderId, clientMsgId]));
    for (const [key, same] of places) {
      if (same.length > 1) complain('duplicate', 'seq', `${key} is stored as ${same.map(({ seq }) => seq).join(', ')}`);
    }
  }
  for (const client of clients) found.push(...checkClient(client, truth));
  return found;
}

function checkNumbers(
  numbers: readonly number[],
  { from, to }: { from: number; to: number },
  complain: (detail: string) => void,
): void {
  let last = from;
  for (const number of [...numbers].sort((one, other) => one - other)) {
    if (number > last + 1) complain(`${last + 1} to ${number - 1} are not stored`);
    last = number;
  }
  if (last < to) complain(`${last + 1} to ${to} are not stored`);
}

function checkClient(client: ClientRecord, truth: Truth): Anomaly[] {
  const found: Anomaly[] = [];
  const complain = (name: Anomaly['name'], roomId: string, detail: string): void => {
    found.push({ name, log: 'seq', roomId, client: client.name, detail });
  };
  const placeOf = (roomId: string, seq: number): { isKnown: boolean; message?: StoredMessage | undefined } => {
    const room = truth.get(roomId);
    if (!room || seq <= room.base.seq) return { isKnown: false };
    return { isKnown: true, message: room.messages[seq - room.base.seq - 1] };
  };
  const compare = (roomId: string, { seq, id }: SeenMessage): void => {
    const { isKnown, message } = placeOf(roomId, seq);
    if (!isKnown) return;
    if (!message) complain('precommitted-read', roomId, `${seq} (${id})`);
    else if (message.id !== id)
      complain('inconsistent-offsets', roomId, `${seq} is ${id} here, stored is ${message.id}`);
  };

  const placeOfSend = new Map<string, number>();
  for (const { items, sends, changes } of client.sessions) {
    for (const [roomId, ofRoom] of items) {
      for (const item of ofRoom) for (const seen of messagesIn(item)) compare(roomId, seen);
    }
    for (const { roomId, clientMsgId, answer } of sends) {
      if (!answer?.ok) continue;
      const { isKnown, message } = placeOf(roomId, answer.seq);
      if (isKnown && message?.clientMsgId !== clientMsgId)
        complain('lost-write', roomId, `${clientMsgId} as ${answer.seq}`);
      const key = `${roomId} ${clientMsgId}`;
      const before = placeOfSend.get(key) ?? answer.seq;
      if (before !== answer.seq)
        complain('duplicate', roomId, `${clientMsgId} answered as ${before} and ${answer.seq}`);
      placeOfSend.set(key, answer.seq);
    }
    for (const { roomId, seq, isFirst, answer } of changes) {
      const room = truth.get(roomId);
      if (!room || !isFirst || !answer?.ok || answer.rev === undefined || answer.rev <= room.base.rev) continue;
      const stored = room.changes[answer.rev - room.base.rev - 1];
      if (stored?.seq !== seq) {
        found.push({ name: 'lost-write', log: 'rev', roomId, client: client.name, detail: `${answer.rev} of ${seq}` });
      }
    }
  }
  for (const { roomId, clientMsgId, why } of client.unanswered)
    complain('failed-send', roomId, `${clientMsgId}: ${why}`);
  return found;
}

function messagesIn(item: Item): readonly SeenMessage[] {
  switch (item.kind) {
    case 'page':
      return [...item.messages, ...(item.changed ?? [])];
    case 'history':
      return item.messages;
    case 'new':
    case 'updated':
      return [{ seq: item.seq, id: item.id }];
    case 'resync':
    case 'left':
      return [];
  }
}
