import type { Fault } from '../chaos/stage.ts';
import { flappingClients, resetClients, slowReaders, stoppedReaders, vanishingClients } from './clients.ts';
import { killGateway, pauseGateway, rollingRestart, stopGateway } from './gateways.ts';
import { haproxyReload } from './haproxy.ts';
import { mixed } from './mixed.ts';
import {
  postgresCut,
  postgresFast,
  postgresFrozen,
  postgresImmediate,
  postgresLocked,
  postgresSlow,
} from './postgres.ts';
import {
  redisAway,
  redisCutOff,
  redisFreeze,
  redisLosses,
  redisPause,
  redisRestart,
  redisSubscribersCut,
} from './redis.ts';

const single: readonly Fault[] = [
  killGateway,
  pauseGateway,
  stopGateway,
  rollingRestart,
  redisRestart,
  redisAway,
  redisCutOff,
  redisSubscribersCut,
  redisPause,
  redisFreeze,
  redisLosses,
  postgresFast,
  postgresImmediate,
  postgresCut,
  postgresSlow,
  postgresFrozen,
  postgresLocked,
  slowReaders,
  stoppedReaders,
  vanishingClients,
  flappingClients,
  resetClients,
  haproxyReload,
];

/** Every fault there is, by its name; `mixed` draws from the others. */
export const FAULTS: ReadonlyMap<string, Fault> = new Map(
  [...single, mixed(single)].map((fault) => [fault.name, fault]),
);
