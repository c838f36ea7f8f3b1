import type { UnitCosts } from './model.ts';

/** Where the figures come from: two cores (AMD EPYC) shared by all parts and the generator, see docs/scaling.md. */
export interface MeasuredRun {
  gateways: number;
  clients: number;
  rooms: number;
  /** Deliveries, the senders' own included. */
  perSecond: number;
  /** Cores that were busy: of all gateways, HAProxy, Redis, PostgreSQL. */
  cores: readonly [number, number, number, number];
}

/** Steps of `npm run bench -- --only parley --replicas ... --rooms ...` that passed. */
export const measuredRuns: readonly MeasuredRun[] = [
  { gateways: 1, clients: 1_000, rooms: 20, perSecond: 5_009, cores: [0.19, 0.11, 0.01, 0.07] },
  { gateways: 1, clients: 1_000, rooms: 20, perSecond: 20_003, cores: [0.43, 0.35, 0.014, 0.14] },
  { gateways: 1, clients: 1_000, rooms: 20, perSecond: 31_971, cores: [0.52, 0.41, 0.02, 0.19] },
  { gateways: 1, clients: 1_000, rooms: 20, perSecond: 39_984, cores: [0.57, 0.43, 0.02, 0.2] },
  { gateways: 2, clients: 1_000, rooms: 20, perSecond: 5_008, cores: [0.21, 0.1, 0.01, 0.07] },
  { gateways: 2, clients: 1_000, rooms: 20, perSecond: 20_000, cores: [0.6, 0.37, 0.024, 0.22] },
  { gateways: 2, clients: 1_000, rooms: 20, perSecond: 31_988, cores: [0.74, 0.43, 0.03, 0.25] },
  { gateways: 2, clients: 1_000, rooms: 20, perSecond: 40_002, cores: [0.78, 0.47, 0.03, 0.25] },
  { gateways: 4, clients: 1_000, rooms: 20, perSecond: 5_008, cores: [0.36, 0.12, 0.016, 0.1] },
  { gateways: 4, clients: 1_000, rooms: 20, perSecond: 7_819, cores: [0.44, 0.18, 0.02, 0.13] },
  { gateways: 4, clients: 1_000, rooms: 20, perSecond: 12_505, cores: [0.58, 0.25, 0.026, 0.19] },
  { gateways: 3, clients: 1_000, rooms: 1000, perSecond: 500, cores: [0.41, 0.06, 0.02, 0.25] },
  { gateways: 3, clients: 1_000, rooms: 1000, perSecond: 1_999, cores: [0.93, 0.12, 0.056, 0.55] },
  { gateways: 3, clients: 1_000, rooms: 1000, perSecond: 2_998, cores: [0.93, 0.16, 0.048, 0.58] },
  { gateways: 3, clients: 1_000, rooms: 200, perSecond: 2_500, cores: [0.62, 0.11, 0.036, 0.3] },
  { gateways: 3, clients: 1_000, rooms: 200, perSecond: 5_000, cores: [0.91, 0.17, 0.05, 0.45] },
  { gateways: 3, clients: 1_000, rooms: 200, perSecond: 7_999, cores: [0.9, 0.2, 0.052, 0.54] },
  { gateways: 3, clients: 1_000, rooms: 200, perSecond: 9_998, cores: [0.87, 0.23, 0.048, 0.46] },
  { gateways: 3, clients: 10_000, rooms: 200, perSecond: 25_268, cores: [0.89, 0.46, 0.029, 0.24] },
  { gateways: 3, clients: 10_000, rooms: 200, perSecond: 4_998, cores: [0.35, 0.15, 0.011, 0.09] },
  { gateways: 3, clients: 1_000, rooms: 20, perSecond: 62_665, cores: [0.86, 0.44, 0.036, 0.31] },
  { gateways: 3, clients: 1_000, rooms: 20, perSecond: 4_998, cores: [0.22, 0.11, 0.01, 0.07] },
];

/** What explains these runs best (least squares of the relative errors); connects and memory from the same runs. */
export const measuredCosts: UnitCosts = {
  gateway: { send: 225, heard: 105, write: 19, connect: 3_200, idleSecond: 27 },
  haproxy: { send: 41, write: 19, connect: 770, idleSecond: 7.4 },
  redis: { publish: 16, copy: 3.4, connect: 160 },
  postgres: { message: 230, connect: 920 },
  memory: { emptyGateway: 180e6, connection: 25e3 },
};
