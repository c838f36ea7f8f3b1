import type { Anomaly } from './anomalies.ts';
import type { ClientRecord, Item, Truth } from './record.ts';

/**
 * Over all its sockets together, whoever hears a room at the end has seen every message behind the head of its first
 * page: in a page, as an event, as an answer, or in the history that it read where a page was truncated.
 */
export function checkUnseen(clients: readonly ClientRecord[], truth: Truth): Anomaly[] {
  const found: Anomaly[] = [];
  for (const client of clients) {
    for (const roomId of client.rooms) {
      const stored = truth.get(roomId);
      if (!stored) continue;
      const items = client.sessions.flatMap((session) => session.items.get(roomId) ?? []);
      const first = items.find((item) => item.kind === 'page');
      if (!first) {
        found.push({ name: 'unseen', log: 'seq', roomId, client: client.name, detail: 'not one page of the room' });
        continue;
      }
      const seen = new Set(items.flatMap(seqsIn));
      for (const { sends } of client.sessions) {
        for (const { roomId: where, answer } of sends) if (where === roomId && answer?.ok) seen.add(answer.seq);
      }
      for (const { seq } of stored.messages) {
        if (seq > first.head.seq && !seen.has(seq)) {
          found.push({ name: 'unseen', log: 'seq', roomId, client: client.name, detail: `${seq}, over all sockets` });
        }
      }
    }
  }
  return found;
}

function seqsIn(item: Item): number[] {
  if (item.kind === 'new') return [item.seq];
  if (item.kind === 'page' || item.kind === 'history') return item.messages.map(({ seq }) => seq);
  return [];
}
