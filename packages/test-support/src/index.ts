export { deferred, within, type Deferred } from './deferred.ts';
export { collect, nextEvent, type Emitter, type Recorder } from './events.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { freePort } from './free-port.ts';
export { expectNoLeaks } from './leaks.ts';
export { startPostgres, type PostgresOptions } from './postgres.ts';
export { startProcess, type ExitState, type Owner, type ProcessOptions, type RunningProcess } from './process.ts';
export { startRedis } from './redis.ts';
export type { Server } from './server.ts';
export {
  createDatabase,
  createEmptyDatabase,
  postgresUrl,
  redisPrefix,
  redisUrl,
  type TestDatabase,
} from './stores.ts';
