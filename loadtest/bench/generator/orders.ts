import type { Counts } from '../../measure/histogram.ts';
import type { HerdCounts } from './herd.ts';
import type { StepCounts } from './tally.ts';

/** What a generator's clients are. The clients of a run are numbered from 0; the client n is in the room n % rooms. */
export interface Crowd {
  /** Begins the names of its rooms and users: a crowd of another name is of other people. */
  name: string;
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

/** Connects a crowd in an open loop: each client begins in its turn, whatever became of those before it. */
export interface Pace {
  /** Connections a second of all generators together. */
  perSecond: number;
  /** When the client 0 begins, in microseconds of `nowMicros`. */
  beginAt: number;
}

/** What the parent asks of a generator, one at a time. */
export type Order =
  /** Without a pace, `opening` handshakes are under way at once. */
  | { do: 'open'; crowd: Crowd; pace?: Pace }
  /** Opens again what was closed. */
  | { do: 'mend'; pace?: Pace }
  | { do: 'run'; sendsPerSecond: number; seconds: number; skipSeconds: number }
  /** Talks until a gateway is killed, and so many seconds more; who is lost comes back. */
  | { do: 'herd'; sendsPerSecond: number; seconds: number; victim: string; killAt: number }
  | { do: 'close' };

export interface Opened {
  /** Clients that hear their room. */
  hearing: number;
  failures: Record<string, number>;
  /** From the start of a connection, with a pace from when it was due, to the answer of the join. */
  handshake: Counts;
  /** With a pace: how long after its time a connection was begun, the generator's own lag. */
  lateness: Counts;
  /** From the first connection to the last join. */
  seconds: number;
}

/** The answer to an order, or why it could not be done. */
export type Report =
  { opened: Opened } | { step: StepCounts } | { herd: HerdCounts } | { closed: true } | { error: string };
