import type { Scenario } from './plan.ts';

/** What a scenario is when nothing else is asked for. */
export interface Defaults {
  about: string;
  /** Clients for each room; 0 puts all into one. */
  perRoom: number;
  roomsPerClient: number;
  /** Messages a second, from the number of clients. */
  rate: (clients: number) => number;
  /** Seconds of load. */
  duration: number;
  /** What each visitor or reader does a second. */
  actions: number;
  /** What the runner breaks, if the cluster is its own. */
  fault?: 'kill a gateway' | 'restart all gateways';
  /** Of k6, besides those that hold in every scenario. */
  thresholds: Record<string, string[]>;
}

/** Guarantees 2, 3 and 6, and nothing is refused: in every scenario. */
export const PROMISES: Record<string, string[]> = {
  gaps: ['count==0'],
  repeats: ['count==0'],
  reordered: ['count==0'],
  crosstalk: ['count==0'],
  unanswered: ['count==0'],
  errors: ['count==0'],
};

/** Nobody has a reason to come back, or to be turned away. */
const STAYS = { lost_connections: ['count==0'], reconnects: ['count==0'], failed_connects: ['count==0'] };
const CONNECTS = { connect_time: ['p(99)<250'] };
const QUICK = { delivery_time: ['p(99)<100'], ack_time: ['p(99)<100'] };

export const scenarios: Record<Scenario, Defaults> = {
  'connect-storm': {
    about: 'all connect and join as fast as --connect-rate says; nothing is sent',
    perRoom: 50,
    roomsPerClient: 1,
    rate: () => 0,
    duration: 5,
    actions: 0,
    thresholds: { ...STAYS, ...CONNECTS },
  },
  'steady-chat': {
    about: 'people talk in rooms of fifty',
    perRoom: 50,
    roomsPerClient: 1,
    rate: (clients) => clients / 50,
    duration: 60,
    actions: 0,
    thresholds: { ...STAYS, ...CONNECTS, ...QUICK },
  },
  fanout: {
    about: 'one room with everybody in it',
    perRoom: 0,
    roomsPerClient: 1,
    rate: () => 10,
    duration: 30,
    actions: 0,
    thresholds: { ...STAYS, ...QUICK },
  },
  'many-rooms': {
    about: 'everybody hears ten rooms of twenty',
    perRoom: 20,
    roomsPerClient: 10,
    rate: (clients) => clients / 10,
    duration: 30,
    actions: 0,
    thresholds: { ...STAYS, ...QUICK },
  },
  'join-leave': {
    about: 'half of the people leave their room and come back all the time, while the others talk',
    perRoom: 20,
    roomsPerClient: 1,
    rate: (clients) => clients / 20,
    duration: 30,
    actions: 0.5,
    thresholds: { ...STAYS, ...QUICK, request_time: ['p(99)<250'] },
  },
  'reconnect-herd': {
    about: 'a third lose their connection at once: a gateway is killed, or with --url they drop it',
    perRoom: 50,
    roomsPerClient: 1,
    rate: (clients) => clients / 50,
    duration: 40,
    actions: 0,
    fault: 'kill a gateway',
    thresholds: { recovery_time: ['max<15000'], delivery_time: ['p(99)<250'] },
  },
  history: {
    about: 'people scroll back while others talk',
    perRoom: 50,
    roomsPerClient: 1,
    rate: (clients) => clients / 10,
    duration: 30,
    actions: 0.2,
    thresholds: { ...STAYS, ...QUICK, request_time: ['p(99)<250'] },
  },
  'rolling-restart': {
    about: 'all gateways are restarted one after the other while people talk (--url: restart them yourself)',
    perRoom: 50,
    roomsPerClient: 1,
    rate: (clients) => clients / 50,
    duration: 60,
    actions: 0,
    fault: 'restart all gateways',
    thresholds: { lost_connections: ['count==0'], failed_connects: ['count==0'], recovery_time: ['max<15000'] },
  },
};
