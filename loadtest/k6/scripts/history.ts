import type { Client } from '../inside/client.ts';
import { chat, plan, startCrowd } from '../inside/crowd.ts';
import type { Message } from '../inside/heard-rooms.ts';

export { handleSummary, options } from '../inside/crowd.ts';

const PAGE = 50;

/** People talk while others scroll back to the beginning of their rooms, page by page, and start again at the newest. */
export function run(): void {
  const crowd = startCrowd();
  chat(crowd);
  const places = new Map<Client, number>();
  const reading = new Set<Client>();
  crowd.atRate(plan.actions * plan.clients, () => {
    const reader = crowd.next();
    const [room] = reader?.rooms ?? [];
    if (reader === undefined || room === undefined || reading.has(reader)) return;
    reading.add(reader);
    const before = places.get(reader);
    const begin = Date.now();
    const input = { roomId: room.id, limit: PAGE, ...(before !== undefined && { before }) };
    reader.request('message:history', input, ({ messages, hasMore }: { messages: Message[]; hasMore: boolean }) => {
      crowd.recorder.time('request', Date.now() - begin);
      reading.delete(reader);
      const seqs = messages.map(({ seq }) => seq);
      // A page is the PAGE messages right before the place, or as many as there are.
      const first = seqs[0] ?? 0;
      const isWhole = seqs.every((seq, index) => seq === first + index);
      const endsThere = before === undefined || seqs.length === 0 || seqs.at(-1) === before - 1;
      if (!isWhole || !endsThere) crowd.recorder.error('PAGE_WITH_A_GAP');
      if (hasMore && seqs.length > 0) places.set(reader, first);
      else places.delete(reader);
    });
  });
}
