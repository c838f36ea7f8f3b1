import type { AppendedRow, Database } from '@parley/database';
import type { Kysely } from 'kysely';
import type { Config } from './config.ts';
import type { MessageWriter } from './delivery/message-writer.ts';
import type { Fanout } from './platform/fanout.ts';
import type { Log } from './platform/log.ts';
import type { Metrics } from './platform/metrics.ts';
import type { RedisClients } from './platform/redis/clients.ts';
import type { RedisKeys } from './platform/redis/keys.ts';
import type { SocketRegistry } from './platform/sockets/registry.ts';

/** What every action gets first. Built once by `createGateway`, never changed. */
export interface Context {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly db: Kysely<Database>;
  readonly redis: RedisClients;
  readonly keys: RedisKeys;
  /** The sockets of this gateway. */
  readonly sockets: SocketRegistry;
  /** The sockets of all gateways, by the rooms they hear. */
  readonly fanout: Fanout;
  /** Commits messages. */
  readonly writer: MessageWriter<AppendedRow>;
}
