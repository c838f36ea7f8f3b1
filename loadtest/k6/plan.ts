/** What the runner gives to k6, as JSON in the variable PLAN. All times are milliseconds. */
export interface Plan {
  scenario: Scenario;
  /** Begins the names of rooms and users, so that runs against one cluster do not meet. */
  run: string;
  urls: readonly string[];
  jwtSecret: string;
  /** Of the whole run, all shards together. */
  clients: number;
  rooms: number;
  /** How many rooms each client hears. */
  roomsPerClient: number;
  /** This k6 has the clients from `from` to before `to`. */
  from: number;
  to: number;
  socketsPerVu: number;
  /** Connections a second of this k6. */
  connectRate: number;
  /** Messages a second of the whole run. */
  rate: number;
  /** Length of a message's content. */
  bytes: number;
  /** When the first connects, as the system's clock says it. */
  startAt: number;
  /** From the start on: when all should be connected, when load counts, when it ends, when streams are compared, when all is over. */
  loadAtMs: number;
  measureAtMs: number;
  stopAtMs: number;
  compareAtMs: number;
  endAtMs: number;
  /** reconnect-herd: when the clients drop their sockets (not set if the runner breaks something instead), and what share of them. */
  cutAtMs?: number;
  cutPart: number;
  /** join-leave: what each visitor does a second. history: what each reader asks for a second. */
  actions: number;
  /** Of so many deliveries the times of one are taken. */
  sample: number;
  thresholds: Record<string, string[]>;
  /** Where k6 writes its summary. */
  summary: string;
}

export const SCENARIOS = [
  'connect-storm',
  'steady-chat',
  'fanout',
  'many-rooms',
  'join-leave',
  'reconnect-herd',
  'history',
  'rolling-restart',
] as const;

export type Scenario = (typeof SCENARIOS)[number];
