import type { AnomalyName } from './anomalies.ts';
import type { Item, Log, SeenMessage, StoredRoom } from './record.ts';

type Page = Extract<Item, { kind: 'page' }>;
type ComplainOf = (log: Log) => (name: AnomalyName, detail: string) => void;

/**
 * Guarantee 5: a page from a cursor holds every message behind it up to the head; one without a cursor, or one that is
 * truncated, the newest up to the head. Changes behind the cursor are in it as well, in their latest state.
 */
export function checkPage(page: Page, stored: StoredRoom, complainOf: ComplainOf): void {
  const complain = complainOf('seq');
  const isWhole = page.from !== undefined && !page.truncated;
  const first = isWhole ? (page.from as { seq: number }).seq + 1 : page.head.seq - page.messages.length + 1;
  let expected = first;
  for (const { seq } of page.messages) {
    if (seq < expected) complain(seq < first ? 'duplicate' : 'nonmonotonic-poll', `${seq} in a page, not ${expected}`);
    else if (seq > expected) complain('poll-skip', `${expected} to ${seq - 1} are not in a page`);
    expected = seq + 1;
  }
  if (expected !== page.head.seq + 1) complain('poll-skip', `a page ends with ${expected - 1}, not ${page.head.seq}`);
  if (isWhole) checkChanged(page, stored, complainOf('rev'));
}

function checkChanged(page: Page, stored: StoredRoom, complain: ReturnType<ComplainOf>): void {
  const from = page.from as { seq: number; rev: number };
  const shown = new Map<number, SeenMessage>(
    [...page.messages, ...(page.changed ?? [])].map((seen) => [seen.seq, seen]),
  );
  for (const { rev, seq } of stored.changes) {
    if (rev <= from.rev || rev > page.head.rev) continue;
    if ((shown.get(seq)?.rev ?? 0) < rev) complain('poll-skip', `change ${rev} of ${seq} is not in a page`);
  }
  let last = from.rev;
  for (const { rev = 0, seq } of page.changed ?? []) {
    if (rev <= last) complain('nonmonotonic-poll', `change ${rev} of ${seq} in a page, after ${last}`);
    last = rev;
  }
}
