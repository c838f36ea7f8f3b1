import type { Client } from './client.ts';
import type { Recorder } from './metrics.ts';

/** As many as one `room:list` takes. */
const PAGE = 100;

interface Page {
  rooms: { id: string; headSeq: number }[];
  nextCursor?: string;
}

/**
 * Finds what is missing at the end of the streams: somebody of this virtual user lists the rooms of the run with their
 * heads, which takes few requests however many clients there are.
 *
 * @param names with what the names of the run's rooms begin
 * @param done once all clients that hear were compared; never when the answers did not come
 */
export function compareWithHeads(
  clients: readonly Client[],
  recorder: Recorder,
  { names, done }: { names: string; done: () => void },
): void {
  const asking = clients.find(({ isHearing }) => isHearing);
  const heads = new Map<string, number>();
  const ask = (cursor: string | undefined): void => {
    const input = { scope: 'public', search: names, limit: PAGE, ...(cursor !== undefined && { cursor }) };
    asking?.request('room:list', input, ({ rooms, nextCursor }: Page) => {
      for (const { id, headSeq } of rooms) heads.set(id, headSeq);
      if (nextCursor !== undefined) return ask(nextCursor);
      for (const client of clients) if (client.isHearing) compare(client, heads, recorder);
      done();
    });
  };
  ask(undefined);
}

function compare({ rooms }: Client, heads: ReadonlyMap<string, number>, recorder: Recorder): void {
  for (const { id, hears, check } of rooms) {
    if (!hears) continue;
    const head = heads.get(id);
    if (head === undefined) recorder.error('NOT_LISTED');
    else recorder.count('gaps', check.missing(head));
  }
}
