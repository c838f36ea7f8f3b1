import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';
import type { Config } from './config.ts';
import type { MessageWriter } from './delivery/message-writer.ts';
import type { RoomTurns } from './delivery/room-turns.ts';
import type { Streams } from './delivery/streams.ts';
import type { ContentRules } from './features/content/content.ts';
import type { Limits } from './features/limits/limits.ts';
import type { Delivery, Outcome } from './features/messages/delivery.ts';
import type { Presence } from './features/presence/presence.ts';
import type { ReadNews } from './features/receipts/read-news.ts';
import type { ReadWriter } from './features/receipts/read-writer.ts';
import type { RoomPages } from './features/rooms/access.ts';
import type { Typing } from './features/typing/typing.ts';
import type { Arrivals } from './platform/arrivals.ts';
import type { Fanout } from './platform/fanout.ts';
import type { Log } from './platform/log.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Peers } from './platform/peers/peers.ts';
import type { RoomSignals } from './platform/peers/room-signals.ts';
import type { RedisClients } from './platform/redis/clients.ts';
import type { RedisKeys } from './platform/redis/keys.ts';
import type { SocketRegistry } from './platform/sockets/registry.ts';
import type { ChatSocket } from './platform/sockets/types.ts';

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
  /** Those who connect, join and sync, in their turn. */
  readonly arrivals: Arrivals;
  /** Sends what may be lost to the sockets of all gateways, by the rooms they hear. */
  readonly fanout: Fanout;
  /** The other gateways. */
  readonly peers: Peers;
  /** What messages may say. */
  readonly content: ContentRules;
  /** Who is here, over all gateways. */
  readonly presence: Presence;
  /** Commits messages. */
  readonly writer: MessageWriter<Outcome>;
  /** One after another in each room: what changes messages. */
  readonly roomTurns: RoomTurns;
  /** Tells the sockets of this gateway what was committed, in order. */
  readonly streams: Streams<ChatSocket>;
  /** What users may do how often. */
  readonly limits: Limits;
  /** Tells all gateways what was committed in a room. */
  readonly announce: Delivery['announce'];
  readonly onArrival: Delivery['onArrival'];
  /** Tells the gateways that hear a room what may be lost. */
  readonly signals: RoomSignals;
  /** Who types where. */
  readonly typing: Typing;
  /** Rooms for those who join. */
  readonly roomPages: RoomPages;
  /** Commits how far members have read. */
  readonly readWriter: ReadWriter;
  /** Tells who has read how far. */
  readonly readNews: ReadNews;
}
