import { countAnomalies, type Anomaly, type Counts } from './anomalies.ts';
import type { ClientRecord, Truth } from './record.ts';
import { checkSends } from './sends.ts';
import { checkStore } from './store.ts';
import { checkStreams } from './streams.ts';
import { checkUnseen } from './unseen.ts';

export interface Verdict {
  anomalies: Anomaly[];
  counts: Counts;
  /** Messages that were acknowledged, each once. */
  acked: number;
  /** Events `message:new` and `message:updated` at all clients together. */
  delivered: number;
  pages: number;
  truncated: number;
  resyncs: number;
  sessions: number;
}

/**
 * Compares what all clients saw with what is stored. Pure: the record is complete, the cluster is at rest, and everybody
 * had the time to hear everything.
 */
export function check(clients: readonly ClientRecord[], truth: Truth): Verdict {
  const anomalies = [
    ...checkStore(clients, truth),
    ...checkStreams(clients, truth),
    ...checkSends(clients, truth),
    ...checkUnseen(clients, truth),
  ];
  const sessions = clients.flatMap((client) => client.sessions);
  const items = sessions.flatMap((session) => [...session.items.values()].flat());
  const acked = new Set<string>();
  for (const client of clients) {
    for (const { sends } of client.sessions) {
      for (const { roomId, clientMsgId, answer } of sends)
        if (answer?.ok) acked.add(`${roomId} ${client.userId} ${clientMsgId}`);
    }
  }
  return {
    anomalies,
    counts: countAnomalies(anomalies),
    acked: acked.size,
    delivered: items.filter(({ kind }) => kind === 'new' || kind === 'updated').length,
    pages: items.filter(({ kind }) => kind === 'page').length,
    truncated: items.filter((item) => item.kind === 'page' && item.truncated).length,
    resyncs: items.filter(({ kind }) => kind === 'resync').length,
    sessions: sessions.length,
  };
}
