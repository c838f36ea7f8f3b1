import { openDatabase } from '@parley/database';
import { openContentRules } from './features/content/content.ts';
import { evictOutsiders } from './features/hearing/evict.ts';
import { createLimits, type OpenLimits } from './features/limits/limits.ts';
import { createDelivery } from './features/messages/delivery.ts';
import { createPresence } from './features/presence/create-presence.ts';
import { createReadNews } from './features/receipts/read-news.ts';
import { createReadWriter } from './features/receipts/receipts.ts';
import { gatherRoomPages } from './features/rooms/access.ts';
import { MEMBERS_PAGE } from './features/rooms/members.ts';
import { createTyping } from './features/typing/typing.ts';
import { Arrivals } from './platform/arrivals.ts';
import { createFanout } from './platform/fanout.ts';
import { createPeers, type ConnectedPeers } from './platform/peers/peers.ts';
import { connectRedis } from './platform/redis/clients.ts';
import { redisKeys } from './platform/redis/keys.ts';
import { SocketRegistry } from './platform/sockets/registry.ts';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import type { Log } from './platform/log.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Metrics } from './platform/metrics.ts';
import type { ChatServer } from './platform/sockets/types.ts';

export interface ContextOptions {
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Gets a closer for all that is opened here. */
  lifecycle: Lifecycle;
  io: ChatServer;
}

/** Opens what every action stands on: the stores, the other gateways, delivery, and the parts that features share. */
export function openContext({ config, log, metrics, lifecycle, io }: ContextOptions): {
  ctx: Context;
  /** Parts of the context with what starts, stops and extends them. */
  peers: ConnectedPeers;
  rates: OpenLimits;
} {
  const { limits } = config;
  const database = openDatabase({
    url: config.DATABASE_URL,
    poolMax: config.DATABASE_POOL_MAX,
    statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
    connectTimeoutMs: config.DATABASE_CONNECT_TIMEOUT_MS,
    prepared: config.DATABASE_PREPARED,
    applicationName: `parley ${config.GATEWAY_NAME}`,
    onError: (error) => log.warn({ err: error }, 'PostgreSQL connection lost'),
  });
  lifecycle.onStop('database', () => database.close());

  const redis = connectRedis(config.REDIS_URL, { name: `parley-${config.GATEWAY_NAME}`, log });
  lifecycle.onStop('redis', () => redis.close());
  const keys = redisKeys(config.REDIS_PREFIX);

  const peers = createPeers({ redis, keys, log });
  lifecycle.onStop('peers', () => peers.stop());
  const delivery = createDelivery({
    db: database.db,
    redis,
    keys,
    log,
    metrics,
    patienceMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
    evictOutsiders: (roomIds) => evictOutsiders(ctx, roomIds),
  });
  lifecycle.onStop('delivery', () => delivery.stop());
  const rates = createLimits({ limits, redis, keys, peers, metrics, log });
  lifecycle.onStop('rates', () => rates.stop());
  const content = openContentRules({ config, db: database.db, log, peers });
  lifecycle.onStop('content rules', () => content.ofRooms.stop());
  const sockets = new SocketRegistry();
  const typing = createTyping({
    gatewayId: peers.id,
    timeoutMs: limits.TYPING_TIMEOUT_MS,
    redis,
    keys,
    sockets,
    streams: delivery.streams,
    signals: delivery.signals,
    onArrival: delivery.onArrival,
  });
  lifecycle.onStop('typing', () => typing.stop());
  const readNews = createReadNews({ streams: delivery.streams, signals: delivery.signals, peers, sockets });
  const readWriter = createReadWriter(database.db);
  lifecycle.onStop('readings', async () => {
    await readWriter.stop();
    readNews.stop();
  });
  const fanout = createFanout(io, redis, keys.channels);
  const presence = createPresence({
    config,
    db: database.db,
    redis,
    keys,
    log,
    metrics,
    peers,
    sockets,
    fanout,
    signals: delivery.signals,
  });
  const ctx: Context = Object.freeze({
    config,
    log,
    metrics,
    db: database.db,
    redis,
    keys,
    sockets,
    arrivals: new Arrivals(),
    fanout,
    peers,
    content,
    presence,
    writer: delivery.writer,
    roomTurns: delivery.roomTurns,
    streams: delivery.streams,
    limits: rates,
    announce: delivery.announce,
    onArrival: delivery.onArrival,
    signals: delivery.signals,
    typing,
    readNews,
    readWriter,
    roomPages: gatherRoomPages(database.db, MEMBERS_PAGE + 1),
  });
  return { ctx, peers, rates };
}
