import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createListener } from '../../services/gateway/src/platform/http/listener.ts';
import {
  createEngine,
  createSocketServer,
  type EngineServerOptions,
  type SocketServer,
} from '../../services/gateway/src/platform/sockets/server.ts';

const ECHO_PATH = '/engine.io/';
const HEALTH_PATH = '/health/ready';

/** What the public suites expect of a server. */
const SUITE_OPTIONS = { pingIntervalMs: 300, pingTimeoutMs: 200, maxFrameBytes: 1_000_000, cors: { origin: '*' } };
const CONNECT_TIMEOUT_MS = 1_000;

export interface PlatformServerOptions {
  /** Prefix of session ids when HAProxy does not name the server. */
  name: string;
  /** Default 0: a free one. */
  port?: number;
  /** Heartbeat, if not the suites' 300 and 200 ms. */
  pingIntervalMs?: number;
  pingTimeoutMs?: number;
}

export interface PlatformServer {
  readonly name: string;
  readonly port: number;
  readonly sockets: SocketServer;
  /** A bare echo at `/engine.io/`. */
  readonly echo: EchoEngine;
  close(): Promise<void>;
}

type EchoEngine = ReturnType<typeof createEngine>;

/**
 * The gateway's socket platform on 127.0.0.1, without chat: Socket.IO at `/socket.io/` with the handlers that the public
 * Socket.IO suite expects, Engine.IO at `/engine.io/` with the echo that the Engine.IO suite expects.
 */
export async function startPlatformServer(options: PlatformServerOptions): Promise<PlatformServer> {
  const { name, port = 0, ...heartbeat } = options;
  const engineOptions: EngineServerOptions = { ...SUITE_OPTIONS, ...heartbeat, name };
  const sockets = createSocketServer({ ...engineOptions, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  answerSuite(sockets.io);
  const echo = createEngine(engineOptions);
  echo.on('connection', (transport) => {
    transport.on('message', (data: string | Buffer) => void transport.send(data));
  });

  const server = createListener(restOf(echo), {
    engine: sockets.engine,
    admit: () => Promise.resolve(undefined),
    onRefused: () => {},
  });
  sendUpgradesTo(echo, server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    port: (server.address() as AddressInfo).port,
    sockets,
    echo,
    close: async () => {
      echo.close();
      sockets.engine.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The events are in no contract of ours, hence the loose types. */
function answerSuite(io: SocketServer['io']): void {
  type Loose = (...args: unknown[]) => void;
  io.of('/').on('connection', (socket) => {
    const emit = socket.emit.bind(socket) as Loose;
    emit('auth', socket.handshake.auth);
    socket.onAny((event: string, ...args: unknown[]) => {
      if (event === 'message') emit('message-back', ...args);
      if (event === 'message-with-ack') (args.pop() as Loose)(...args);
    });
  });
  io.of('/custom').on('connection', (socket) => {
    (socket.emit.bind(socket) as Loose)('auth', socket.handshake.auth);
  });
}

function restOf(echo: EchoEngine): RequestListener {
  return (request, response) => {
    if (request.url?.startsWith(ECHO_PATH)) echo.handleRequest(request, response);
    else response.writeHead(request.url === HEALTH_PATH ? 200 : 404).end();
  };
}

/** The gateway refuses upgrades that are not for its sockets; here one more path is served. */
function sendUpgradesTo(echo: EchoEngine, server: Server): void {
  const others = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith(ECHO_PATH)) echo.handleUpgrade(request, socket, head);
    else for (const listener of others) listener.call(server, request, socket, head);
  });
}
