import { openDatabase } from '@parley/database';
import type { AddressInfo } from 'node:net';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import { adminRoutes } from './features/admin/admin.http.ts';
import { auditRoutes } from './features/audit/audit.http.ts';
import { authRoutes } from './features/auth/auth.http.ts';
import { authenticateWith } from './features/auth/authenticate.ts';
import { createCodeSender } from './features/auth/code-sender/code-sender.ts';
import { createCodes } from './features/auth/codes.ts';
import { watchEndings } from './features/auth/endings.ts';
import { passwordsWaiting } from './features/auth/passwords.ts';
import { openSessions } from './features/auth/session.socket.ts';
import { createTokens } from './features/auth/tokens.ts';
import { startCleaning } from './features/cleaning/cleaning.ts';
import { contentRoutes } from './features/content/content.http.ts';
import { openContentRules } from './features/content/content.ts';
import { blockRoutes } from './features/blocks/blocks.http.ts';
import { blockHandlers } from './features/blocks/blocks.socket.ts';
import { directHandlers } from './features/direct/direct.socket.ts';
import { docsRoutes } from './features/docs/docs.http.ts';
import { evictOutsiders, openEvictions } from './features/hearing/evict.ts';
import { hearingRoutes } from './features/hearing/hearing.http.ts';
import { hearingHandlers } from './features/hearing/hearing.socket.ts';
import { createLimits } from './features/limits/limits.ts';
import { memberRoutes } from './features/members/members.http.ts';
import { memberHandlers } from './features/members/members.socket.ts';
import { createDelivery } from './features/messages/delivery.ts';
import { messageRoutes } from './features/messages/messages.http.ts';
import { messageHandlers } from './features/messages/messages.socket.ts';
import { createPresence } from './features/presence/presence.ts';
import { presenceHandlers } from './features/presence/presence.socket.ts';
import { receiptRoutes } from './features/receipts/receipts.http.ts';
import { createReadNews } from './features/receipts/read-news.ts';
import { createReadWriter } from './features/receipts/receipts.ts';
import { receiptHandlers } from './features/receipts/receipts.socket.ts';
import { reportRoutes } from './features/reports/reports.http.ts';
import { reportHandlers } from './features/reports/reports.socket.ts';
import { roomRoutes } from './features/rooms/rooms.http.ts';
import { roomHandlers } from './features/rooms/rooms.socket.ts';
import { createTyping } from './features/typing/typing.ts';
import { typingHandlers } from './features/typing/typing.socket.ts';
import { userRoutes } from './features/users/users.http.ts';
import { Lifecycle, type Phase } from './lifecycle.ts';
import { createFanout } from './platform/fanout.ts';
import { mountHealth } from './platform/health.ts';
import { clientAddressOf, trustedProxies } from './platform/http/address.ts';
import { createHttpApp } from './platform/http/app.ts';
import { createListener } from './platform/http/listener.ts';
import { originRule } from './platform/http/origin.ts';
import { mountRestRates } from './platform/http/rest-rates.ts';
import { mountRoutes } from './platform/http/route.ts';
import type { Log } from './platform/log.ts';
import { Metrics, serveMetrics } from './platform/metrics.ts';
import { createPeers } from './platform/peers/peers.ts';
import { hearForUsers } from './platform/peers/tell-user.ts';
import { connectRedis } from './platform/redis/clients.ts';
import { redisKeys } from './platform/redis/keys.ts';
import { drainSockets } from './platform/sockets/drain.ts';
import { Gate } from './platform/sockets/gate.ts';
import { openDoor } from './platform/sockets/handle.ts';
import { PendingTransports } from './platform/sockets/pending.ts';
import { SocketRegistry } from './platform/sockets/registry.ts';
import { createSocketServer } from './platform/sockets/server.ts';
import { prepareStores } from './stores.ts';

/** What is off has to be a number for the libraries below: the largest that ws takes. */
const NO_FRAME_LIMIT = 2 ** 31 - 1;
/** How long new transports are still let in while the proxy finds out that this replica drains, ms. */
const DRAIN_NOTICE_MS = 2_000;
/** What a stop may take beyond the drain, for each thing that is closed, ms. */
const CLOSE_DEADLINE_MS = 5_000;

export interface Gateway {
  readonly port: number;
  readonly metricsPort: number;
  readonly phase: Phase;
  /** Drains, closes everything, resolves when nothing is left. Safe to call again. */
  stop(): Promise<void>;
}

/**
 * The composition root: opens what a gateway stands on, wires it, and listens. It answers health checks at once and is
 * ready as soon as PostgreSQL and Redis are there and the schema is up to date.
 *
 * @param signal gives up a start that still waits for a store
 * @throws MigrationError when the database is of a newer version that this code can't work with
 */
export async function createGateway(config: Config, log: Log, signal = new AbortController().signal): Promise<Gateway> {
  const lifecycle = new Lifecycle(log);
  try {
    return await open(config, log, lifecycle, signal);
  } catch (error) {
    await lifecycle.stop(CLOSE_DEADLINE_MS);
    throw error;
  }
}

async function open(config: Config, log: Log, lifecycle: Lifecycle, signal: AbortSignal): Promise<Gateway> {
  const { limits } = config;
  const metrics = new Metrics();

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

  const isTrusted = trustedProxies(config.TRUSTED_PROXIES);
  const isAllowedOrigin = originRule(config.ALLOWED_ORIGINS, isTrusted);
  const tokens = await createTokens({
    secret: config.JWT_SECRET,
    publicKeyPem: config.JWT_PUBLIC_KEY,
    jwksUrl: config.JWKS_URL,
    audience: config.JWT_AUDIENCE,
    issuer: config.JWT_ISSUER,
  });
  const authenticate = authenticateWith(tokens, database.db);

  const { io, engine } = createSocketServer({
    name: config.GATEWAY_NAME,
    pingIntervalMs: config.PING_INTERVAL_MS,
    pingTimeoutMs: config.PING_TIMEOUT_MS,
    maxFrameBytes: limits.MAX_FRAME_BYTES ?? NO_FRAME_LIMIT,
    connectTimeoutMs: limits.CONNECT_TIMEOUT_MS,
    cors: { origin: config.ALLOWED_ORIGINS.includes('*') ? true : [...config.ALLOWED_ORIGINS], credentials: true },
  });
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
  const rates = createLimits({ limits, redis, keys, metrics, log });
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
  });

  hearForUsers(peers, ctx.sockets);
  openEvictions(ctx);

  let drainingSince = Infinity;
  const noticeMs = Math.min(DRAIN_NOTICE_MS, limits.DRAIN_MS);
  const pending = new PendingTransports();
  const gate = new Gate({
    authenticate,
    addressOf: clientAddressOf(isTrusted),
    isAllowedOrigin,
    pending,
    connections: () => engine.clientsCount,
    isOpen: () => lifecycle.phase === 'ready' || Date.now() - drainingSince < noticeMs,
    maxConnections: limits.MAX_CONNECTIONS,
    maxPendingPerAddress: limits.MAX_PENDING_PER_ADDRESS,
    requireUpgradeAuth: config.REQUIRE_UPGRADE_AUTH,
  });
  const endings = watchEndings(ctx);
  lifecycle.onStop('endings', () => endings.stop());
  const codes = createCodes({ secret: config.JWT_SECRET, sender: createCodeSender(config, log) });
  lifecycle.onStop('codes', () => codes.stop());
  const sessions = openSessions(ctx, { io, gate, pending, authenticate, endings });
  lifecycle.onStop('presence', () => presence.stop());
  lifecycle.onStop('sessions', () => sessions.stop());
  openDoor({
    io,
    ctx,
    log,
    metrics,
    onRefused: (socket) => rates.refused(socket.data.identity.user.id, socket),
    handlers: [
      ...sessions.handlers,
      ...roomHandlers,
      ...hearingHandlers,
      ...messageHandlers,
      ...presenceHandlers,
      ...receiptHandlers,
      ...reportHandlers,
      ...memberHandlers,
      ...directHandlers,
      ...blockHandlers,
      ...typingHandlers,
    ],
  });
  metrics.gauge('parley_connections', 'Open transports', () => engine.clientsCount);
  metrics.gauge('parley_sockets', 'Sockets that have joined', () => ctx.sockets.size);
  metrics.gauge('parley_messages_waiting', 'Messages that wait for a commit', () => delivery.writer.waiting);
  metrics.gauge('parley_rooms_held', 'Rooms whose messages wait for a lock', () => delivery.writer.roomsAside);
  metrics.gauge('parley_passwords_waiting', 'Passwords that wait to be hashed or checked', passwordsWaiting);
  metrics.gauge('parley_typists', 'Users who type in rooms that somebody hears here', () => typing.size);
  metrics.gauge('parley_live_rooms', 'Rooms that somebody hears here', () => delivery.streams.size);

  const app = await createHttpApp({
    log,
    metrics,
    isTrusted,
    allowedOrigins: config.ALLOWED_ORIGINS,
    bodyLimit: limits.MAX_FRAME_BYTES ?? NO_FRAME_LIMIT,
    serve: (rest) =>
      createListener(rest, {
        engine,
        admit: (request) => gate.admit(request),
        onRefused: (error) => metrics.refusedTransports.inc({ code: error.code }),
      }),
  });
  const restRates = await mountRestRates(app, {
    parts: rates.parts,
    keys,
    auth: limits.RATE_AUTH,
    rest: limits.RATE_REST,
  });
  mountHealth(app, () => lifecycle.phase === 'ready');
  mountRoutes(
    app,
    [
      ...authRoutes({ tokens, codes, isAllowedOrigin }),
      ...adminRoutes,
      ...userRoutes,
      ...roomRoutes,
      ...hearingRoutes,
      ...messageRoutes,
      ...receiptRoutes,
      ...reportRoutes,
      ...contentRoutes,
      ...memberRoutes,
      ...auditRoutes,
      ...blockRoutes,
      ...docsRoutes,
    ],
    { ctx, authenticate, isAllowedOrigin, rates: restRates, onRefused: (userId) => rates.refused(userId) },
  );

  const metricsServer = await serveMetrics(metrics, { host: config.METRICS_HOST, port: config.METRICS_PORT });
  lifecycle.onStop('metrics', () => metricsServer.close());
  await app.listen({ host: config.HOST, port: config.PORT });
  lifecycle.onStop('http', () => app.close());
  lifecycle.onStop('socket server', () => io.close());
  lifecycle.onStop('sockets', () =>
    drainSockets(ctx.sockets, { drainMs: limits.DRAIN_MS, noticeMs, open: () => engine.clientsCount }),
  );

  await prepareStores({ databaseUrl: config.DATABASE_URL, redis, log, signal });
  await peers.start();
  endings.start();
  presence.start();
  const cleaning = startCleaning(ctx);
  lifecycle.onStop('cleaning', () => cleaning.stop());
  lifecycle.ready();
  const { port } = app.server.address() as AddressInfo;
  log.info({ port, metricsPort: metricsServer.port }, 'ready');

  return {
    port,
    metricsPort: metricsServer.port,
    get phase() {
      return lifecycle.phase;
    },
    stop: () => {
      drainingSince = Math.min(drainingSince, Date.now());
      return lifecycle.stop(limits.DRAIN_MS + CLOSE_DEADLINE_MS);
    },
  };
}
