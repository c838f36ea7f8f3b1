import type { Log } from './record.ts';

/** The names are those of Jepsen's tests of logs (jepsen.tests.kafka) where it has them. */
export const ANOMALIES = {
  'lost-write': 'acknowledged, but not stored',
  duplicate: 'one message stored twice, or told twice on one stream',
  'inconsistent-offsets': 'one number with two different messages',
  'log-gap': 'a number between two stored ones is not stored',
  'poll-skip': 'left out between two pages, or between a page and what followed it',
  'int-poll-skip': 'left out in the middle of a stream',
  'nonmonotonic-poll': 'told after one with a higher number',
  'int-send-skip': 'sent in one go, stored in another order',
  'nonmonotonic-send': 'sent later over the same socket, stored earlier',
  'precommitted-read': 'told, but not stored',
  unseen: 'stored, and never seen by one who hears the room',
  'own-repeat': "one's own message acknowledged and told as well, without echo",
  'not-heard': 'told of a room that the socket does not hear',
  'failed-send': 'no success after retries as the contract says',
} as const;

export type AnomalyName = keyof typeof ANOMALIES;

export interface Anomaly {
  name: AnomalyName;
  log: Log;
  roomId: string;
  /** Which client saw it; absent for what the store shows by itself. */
  client?: string;
  detail: string;
}

export type Counts = Record<AnomalyName, number>;

export function countAnomalies(anomalies: readonly Anomaly[]): Counts {
  const counts = Object.fromEntries(Object.keys(ANOMALIES).map((name) => [name, 0])) as Counts;
  for (const { name } of anomalies) counts[name] += 1;
  return counts;
}
