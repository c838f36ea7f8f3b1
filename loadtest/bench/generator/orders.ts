import type { Counts } from '../../measure/histogram.ts';
import type { StepCounts } from './tally.ts';

/** What a generator's clients are. The clients of a run are numbered from 0; the client n is in the room n % rooms. */
export interface Crowd {
  urls: readonly string[];
  jwtSecret: string;
  clients: number;
  rooms: number;
  /** This generator's place among all: it has the rooms whose number leaves this rest. */
  place: number;
  generators: number;
  /** Length of a message's content. */
  bytes: number;
  /** Handshakes under way at once. */
  opening: number;
  /** Number of gateways by whose names rooms are pinned to one, for the fan-out that knows no others. */
  pinTo?: number;
}

/** What the parent asks of a generator, one at a time. */
export type Order =
  | { do: 'open'; crowd: Crowd }
  /** Opens again what was closed. */
  | { do: 'mend' }
  | { do: 'run'; sendsPerSecond: number; seconds: number; skipSeconds: number }
  | { do: 'close' };

export interface Opened {
  /** Clients that hear their room. */
  hearing: number;
  failures: Record<string, number>;
  /** From the start of a connection to the answer of the join. */
  handshake: Counts;
  /** From the first connection to the last join. */
  seconds: number;
}

/** The answer to an order, or why it could not be done. */
export type Report = { opened: Opened } | { step: StepCounts } | { closed: true } | { error: string };
