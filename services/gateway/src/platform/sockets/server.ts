import { Server as Engine, type ServerOptions as EngineOptions } from 'engine.io';
import type { IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import { capFlushes } from './flush-cap.ts';
import { gatherPackets } from './gather.ts';
import { lightenPings } from './light-pings.ts';
import type { ChatServer } from './types.ts';

export const SOCKET_PATH = '/socket.io/';

export interface EngineServerOptions {
  /** Prefix of session ids when no proxy names this replica. */
  name: string;
  pingIntervalMs: number;
  pingTimeoutMs: number;
  /** Largest frame or polling body, bytes. */
  maxFrameBytes: number;
  cors?: EngineOptions['cors'];
}

export interface SocketServerOptions extends EngineServerOptions {
  /** How long a transport may stay without a CONNECT, ms. */
  connectTimeoutMs: number;
}

export interface SocketServer {
  io: ChatServer;
  /** Not attached to an HTTP server: requests come here once they have passed the gate. */
  engine: Engine;
}

/**
 * Socket.IO as Parley runs it: protocol v5 over Engine.IO v4, WebSocket and long-polling, default parser. It knows
 * nothing of chat, so that the public protocol suites can be run against it (tests/conformance).
 */
export function createSocketServer(options: SocketServerOptions): SocketServer {
  const engine = createEngine(options);
  const io: ChatServer = new Server({
    serveClient: false,
    connectTimeout: options.connectTimeoutMs,
  });
  io.bind(engine);
  return { io, engine };
}

/**
 * The transports below Socket.IO.
 *
 * Compression is off: per message it costs more CPU than it saves, and a frame could not be encoded once for all.
 */
export function createEngine(options: EngineServerOptions): Engine {
  capFlushes();
  lightenPings();
  gatherPackets();
  const engine = new Engine({
    pingInterval: options.pingIntervalMs,
    pingTimeout: options.pingTimeoutMs,
    maxHttpBufferSize: options.maxFrameBytes,
    perMessageDeflate: false,
    httpCompression: false,
    ...(options.cors !== undefined && { cors: options.cors }),
  });
  // The base class declares no `generateId` override in its options; assigning it is the documented way.
  engine.generateId = (request: IncomingMessage) => newSessionId(request, options.name);
  return engine;
}

/**
 * Gives an upgrade to engine.io, and takes back what engine.io (6.6) hangs on the connection for as long as it lives: a
 * listener that holds the request with all its headers, 3 KB. It is there for middlewares that wait for the end of the
 * response, and none of ours does.
 */
export function upgradeTransport(engine: Engine, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const ownCount = socket.listenerCount('close');
  engine.handleUpgrade(request, socket, head);
  const [ofResponse] = socket.listeners('close').slice(ownCount);
  if (ofResponse) socket.off('close', ofResponse as () => void);
}

/**
 * `<replica>.<random>`: the proxy routes every later request of the session by the part before the dot, so clients
 * need no cookie. HAProxy tells the replica the name it has for it (`http-send-name-header X-Gateway`).
 */
function newSessionId(request: IncomingMessage, ownName: string): string {
  const named = request.headers['x-gateway'];
  const replica = typeof named === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(named) ? named : ownName;
  return `${replica}.${randomBytes(15).toString('base64url')}`;
}
