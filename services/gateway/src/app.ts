import type { AddressInfo } from 'node:net';
import type { Config } from './config.ts';
import { authenticateWith } from './features/auth/authenticate.ts';
import { createCodeSender } from './features/auth/code-sender/code-sender.ts';
import { createCodes } from './features/auth/codes.ts';
import { watchEndings } from './features/auth/endings.ts';
import { passwordsWaiting } from './features/auth/passwords.ts';
import { openSessions } from './features/auth/session.socket.ts';
import { createTokens } from './features/auth/tokens.ts';
import { startCleaning } from './features/cleaning/cleaning.ts';
import { openEvictions } from './features/hearing/evict.ts';
import { hearRenames } from './features/users/users.ts';
import { featureHandlers, featureRoutes } from './features.ts';
import { Lifecycle, type Phase } from './lifecycle.ts';
import { openContext } from './open-context.ts';
import { PATIENCE_MS } from './platform/arrivals.ts';
import { mountHealth } from './platform/health.ts';
import { clientAddressOf, trustedProxies } from './platform/http/address.ts';
import { createHttpApp } from './platform/http/app.ts';
import { closeHttpApp } from './platform/http/closing.ts';
import { createListener } from './platform/http/listener.ts';
import { BACKLOG, listenLocally, type LocalSocket } from './platform/http/local-socket.ts';
import { originRule } from './platform/http/origin.ts';
import { mountRestRates } from './platform/http/rest-rates.ts';
import { mountRoutes } from './platform/http/route.ts';
import { serveInnerPort } from './platform/inner-port.ts';
import type { Log } from './platform/log.ts';
import { Metrics } from './platform/metrics.ts';
import { hearForUsers } from './platform/peers/tell-user.ts';
import { drainSockets } from './platform/sockets/drain.ts';
import { Gate } from './platform/sockets/gate.ts';
import { openDoor } from './platform/sockets/handle.ts';
import { PendingTransports } from './platform/sockets/pending.ts';
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

  const isTrusted = trustedProxies(config.TRUSTED_PROXIES);
  const isAllowedOrigin = originRule(config.ALLOWED_ORIGINS, isTrusted);
  const { io, engine } = createSocketServer({
    name: config.GATEWAY_NAME,
    pingIntervalMs: config.PING_INTERVAL_MS,
    pingTimeoutMs: config.PING_TIMEOUT_MS,
    maxFrameBytes: limits.MAX_FRAME_BYTES ?? NO_FRAME_LIMIT,
    connectTimeoutMs: limits.CONNECT_TIMEOUT_MS + 2 * PATIENCE_MS, // only if all else fails, see session.socket.ts
    cors: { origin: config.ALLOWED_ORIGINS.includes('*') ? true : [...config.ALLOWED_ORIGINS], credentials: true },
  });
  const { ctx, peers, rates } = openContext({ config, log, metrics, lifecycle, io });
  const tokens = await createTokens({
    secret: config.JWT_SECRET,
    publicKeyPem: config.JWT_PUBLIC_KEY,
    jwksUrl: config.JWKS_URL,
    audience: config.JWT_AUDIENCE,
    issuer: config.JWT_ISSUER,
  });
  const authentication = authenticateWith(tokens, ctx);
  const { authenticate } = authentication;

  hearForUsers(peers, ctx.sockets);
  openEvictions(ctx);
  hearRenames(ctx);

  /** When a gateway that was ready began to stop. */
  let drainingSince: number | undefined;
  const noticeMs = Math.min(DRAIN_NOTICE_MS, limits.DRAIN_MS);
  const pending = new PendingTransports();
  const gate = new Gate({
    log,
    authenticate,
    addressOf: clientAddressOf(isTrusted),
    isAllowedOrigin,
    pending,
    connections: () => engine.clientsCount,
    isOpen: () => lifecycle.phase === 'ready' || (drainingSince !== undefined && Date.now() - drainingSince < noticeMs),
    maxConnections: limits.MAX_CONNECTIONS,
    maxPendingPerAddress: limits.MAX_PENDING_PER_ADDRESS,
    requireUpgradeAuth: config.REQUIRE_UPGRADE_AUTH,
  });
  const endings = watchEndings(ctx);
  lifecycle.onStop('endings', () => endings.stop());
  const codes = createCodes({ secret: config.JWT_SECRET, sender: createCodeSender(config, log) });
  lifecycle.onStop('codes', () => codes.stop());
  const sessions = openSessions(ctx, { io, gate, pending, authentication, endings });
  lifecycle.onStop('presence', () => ctx.presence.stop());
  lifecycle.onStop('sessions', () => sessions.stop());
  openDoor({
    io,
    ctx,
    log,
    metrics,
    onRefused: (socket) => rates.refused(socket.data.identity.user.id, socket),
    handlers: [...sessions.handlers, ...featureHandlers],
  });
  metrics.gauge('parley_connections', 'Open transports', () => engine.clientsCount);
  metrics.gauge('parley_sockets', 'Sockets that have joined', () => ctx.sockets.size);
  metrics.gauge('parley_messages_waiting', 'Messages that wait for a commit', () => ctx.writer.waiting);
  metrics.gauge('parley_rooms_held', 'Rooms whose messages wait for a lock', () => ctx.writer.roomsAside);
  metrics.gauge('parley_passwords_waiting', 'Passwords that wait to be hashed or checked', passwordsWaiting);
  metrics.gauge('parley_typists', 'Users who type in rooms that somebody hears here', () => ctx.typing.size);
  metrics.gauge('parley_live_rooms', 'Rooms that somebody hears here', () => ctx.streams.size);

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
    keys: ctx.keys,
    auth: limits.RATE_AUTH,
    rest: limits.RATE_REST,
  });
  const isReady = (): boolean => lifecycle.phase === 'ready';
  mountHealth(app, isReady);
  mountRoutes(app, featureRoutes({ tokens, codes, isAllowedOrigin }), {
    ctx,
    authenticate,
    isAllowedOrigin,
    rates: restRates,
    onRefused: (userId) => rates.refused(userId),
  });

  const inner = await serveInnerPort({ host: config.METRICS_HOST, port: config.METRICS_PORT, metrics, isReady });
  lifecycle.onStop('inner port', () => inner.close());
  await app.listen({ host: config.HOST, port: config.PORT, backlog: BACKLOG });
  let local: LocalSocket | undefined;
  lifecycle.onStop('http', () => Promise.all([local?.close(), closeHttpApp(app)]));
  if (config.LOCAL_SOCKET !== undefined) local = await listenLocally(app.server, config.LOCAL_SOCKET);
  lifecycle.onStop('socket server', () => io.close());
  lifecycle.onStop('sockets', () =>
    drainSockets(ctx.sockets, { drainMs: limits.DRAIN_MS, noticeMs, open: () => engine.clientsCount }),
  );

  await prepareStores({ databaseUrl: config.DATABASE_URL, redis: ctx.redis, log, signal });
  await peers.start();
  endings.start();
  ctx.presence.start();
  const cleaning = startCleaning(ctx);
  lifecycle.onStop('cleaning', () => cleaning.stop());
  lifecycle.ready();
  const { port } = app.server.address() as AddressInfo;
  log.info({ port, metricsPort: inner.port }, 'ready');

  return {
    port,
    metricsPort: inner.port,
    get phase() {
      return lifecycle.phase;
    },
    stop: () => {
      drainingSince ??= lifecycle.phase === 'ready' ? Date.now() : undefined;
      return lifecycle.stop(limits.DRAIN_MS + CLOSE_DEADLINE_MS);
    },
  };
}
