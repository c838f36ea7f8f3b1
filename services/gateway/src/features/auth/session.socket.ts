import { type SessionEndingCode, ConnectAuth, sessionRenew, type SessionLimits } from '@parley/protocol';
import type { Config } from '../../config.ts';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { reportedError } from '../../platform/failures.ts';
import type { Identity } from '../../platform/identity.ts';
import { endSession } from '../../platform/sockets/ending.ts';
import type { Gate } from '../../platform/sockets/gate.ts';
import { handle, type SocketHandler, type SocketRequest } from '../../platform/sockets/handle.ts';
import type { PendingTransports } from '../../platform/sockets/pending.ts';
import type { ChatServer, ChatSocket } from '../../platform/sockets/types.ts';
import { toUser, type UserRow } from '../users/view.ts';
import type { Arrival, Authentication } from './authenticate.ts';
import type { Endings } from './endings.ts';
import { Agenda } from '../../platform/agenda.ts';

/** How long before the end of its token a session is told, ms; one that lasts shorter is told at once. */
const EXPIRY_NOTICE_MS = 60_000;
export const PROTOCOL_VERSION = '1';
/** What a socket's handshake is replaced by once it is read: a token and its headers are long, and nobody has to keep them. */
const NO_HANDSHAKE = Object.freeze({});

export interface SessionOptions {
  io: ChatServer;
  gate: Gate;
  pending: PendingTransports;
  authentication: Authentication;
  endings: Endings;
}

export interface Sessions {
  handlers: SocketHandler<Context>[];
  stop(): void;
}

/**
 * The life of a session on a socket.
 *
 *   CONNECT ──identify──> admitted ──> ready ──(exp - 60 s)──> expiring ──(exp)──> ended
 *      └── CONNECT_ERROR with a code      ^──────session:renew─────┘
 *
 * A transport that has not joined is closed after CONNECT_TIMEOUT_MS. Socket.IO's own time-out is longer: it would also
 * close those whose CONNECT has come and waits for its turn, as thousands do when they lose another gateway.
 */
export function openSessions(ctx: Context, { io, gate, pending, authentication, endings }: SessionOptions): Sessions {
  const { authenticate, arrive, arriveAs } = authentication;
  const agenda = new Agenda<ChatSocket>((socket) => {
    if (Date.now() >= socket.data.identity.expiresAt) endSession(socket, 'TOKEN_EXPIRED', 'The token has expired');
    else expireSoon(socket);
  });
  const sessionLimits = sessionLimitsOf(ctx.config);
  /** Whom the sockets that are let in belong to, until they are told. */
  const arrived = new WeakMap<ChatSocket, UserRow>();
  const connecting = new WeakSet<ChatSocket['conn']>();
  const joined = new WeakSet<ChatSocket['conn']>();
  /** Their time for a CONNECT was up while one was being checked. */
  const overdue = new WeakSet<ChatSocket['conn']>();

  io.engine.on('connection', (transport) => {
    const admission = gate.opened(transport);
    if (admission && !admission.identity) pending.opened(transport, admission.address);
    expectConnect(transport);
  });
  io.use((socket, next) => {
    if (connecting.has(socket.conn)) {
      next(connectError(new ChatError('RATE_LIMITED', { message: 'One CONNECT at a time', retryAfterMs: 1_000 })));
      return;
    }
    connecting.add(socket.conn);
    const isHere = (): boolean => socket.conn.readyState === 'open';
    void ctx.arrivals
      .inTurn(isHere, () => admit(socket))
      .then(
        () => next(),
        (error: unknown) => {
          next(connectError(reportedError(ctx.log, error, 'CONNECT failed')));
          if (overdue.has(socket.conn)) setImmediate(() => socket.conn.close()); // behind the answer
        },
      )
      .finally(() => connecting.delete(socket.conn));
  });
  io.on('connection', (socket) => void begin(socket));

  async function admit(socket: ChatSocket): Promise<void> {
    const admission = gate.admissionOf(socket.conn);
    const { auth, issued: since } = socket.handshake;
    const { token, echo } = ConnectAuth.parse(auth);
    Object.assign(socket, { handshake: NO_HANDSHAKE });
    const { identity, user } = await identify(token, admission?.identity);
    arrived.set(socket, user);
    const address = admission?.address ?? 'unknown';
    socket.data = { identity, since, address, echo, inFlight: 0, isEnded: false, onEnded };
    if (!(await ctx.presence.admit(identity.user.id))) {
      throw new ChatError('RATE_LIMITED', { message: 'Too many connections of this user' });
    }
    // A client that left while it was being checked never gets a `disconnect` event.
    if (socket.conn.readyState !== 'open') ctx.presence.left(identity.user.id);
  }

  /** The transport may stay for a while, until the client has read why. */
  function onEnded(socket: ChatSocket, code: SessionEndingCode): void {
    ctx.metrics.sessionsEnded.inc({ code });
    ctx.streams.removeFromAll(socket);
  }

  async function identify(token: string | undefined, fromUpgrade: Identity | undefined): Promise<Arrival> {
    if (token !== undefined) return arrive(token);
    if (!fromUpgrade) throw new ChatError('UNAUTHORIZED', { message: 'A token is required' });
    if (fromUpgrade.expiresAt <= Date.now()) throw new ChatError('TOKEN_EXPIRED');
    return arriveAs(fromUpgrade); // the transport may have been open for as long as it likes
  }

  async function begin(socket: ChatSocket): Promise<void> {
    pending.settled(socket.conn);
    joined.add(socket.conn);
    ctx.sockets.add(socket);
    endings.settle(socket, socket.data.since);
    const { identity, address } = socket.data;
    const { name: transport } = socket.conn.transport;
    ctx.log.info({ connectionId: socket.id, userId: identity.user.id, address, transport }, 'connected');
    socket.on('disconnect', onDisconnect);
    await ctx.presence.joined(identity.user.id);
    const user = arrived.get(socket);
    arrived.delete(socket);
    if (!socket.connected || !user) return;
    socket.emit('session:ready', {
      connectionId: socket.id,
      user: toUser(user, true),
      serverTime: new Date().toISOString(),
      limits: sessionLimits,
      version: PROTOCOL_VERSION,
    });
    watchExpiry(socket);
  }

  /** One for all sockets: a function of its own would stay with each as long as that lives. */
  function onDisconnect(this: ChatSocket, reason: string): void {
    const userId = this.data.identity.user.id;
    agenda.delete(this);
    closeUnlessJoined(this);
    ctx.sockets.remove(this);
    ctx.streams.removeFromAll(this);
    ctx.typing.endedEverywhere(this);
    ctx.presence.left(userId, this);
    ctx.log.info({ connectionId: this.id, userId, reason }, 'disconnected');
  }

  /** A client that has left but keeps its transport is where it was before its CONNECT: it has so much time for another. */
  function closeUnlessJoined({ conn, data }: ChatSocket): void {
    joined.delete(conn);
    if (conn.readyState !== 'open') return;
    pending.opened(conn, data.address);
    expectConnect(conn);
  }

  /**
   * Closes a transport that has not joined in time. While a CONNECT waits for its turn here, that is not the client's fault,
   * nor when it has come and this gateway was too busy to read it: what waits to be read is read before anything is closed.
   */
  function expectConnect(conn: ChatSocket['conn']): void {
    const decide = (): void => {
      if (joined.has(conn)) return;
      if (connecting.has(conn)) overdue.add(conn);
      else conn.close();
    };
    setTimeout(() => setImmediate(decide), ctx.config.limits.CONNECT_TIMEOUT_MS).unref();
  }

  function watchExpiry(socket: ChatSocket): void {
    const noticeAt = socket.data.identity.expiresAt - EXPIRY_NOTICE_MS;
    if (noticeAt > Date.now()) agenda.set(socket, noticeAt);
    else expireSoon(socket);
  }

  function expireSoon(socket: ChatSocket): void {
    const { expiresAt } = socket.data.identity;
    socket.emit('session:expiring', { inMs: Math.max(0, expiresAt - Date.now()) });
    agenda.set(socket, expiresAt);
  }

  async function renew(_ctx: Context, { socket }: SocketRequest, { token }: { token: string }) {
    const since = Date.now();
    const identity = await authenticate(token);
    if (identity.user.id !== socket.data.identity.user.id) {
      throw new ChatError('FORBIDDEN', { message: "Another user's token" });
    }
    socket.data.identity = identity;
    endings.settle(socket, since);
    watchExpiry(socket);
    return { expiresAt: new Date(identity.expiresAt).toISOString() };
  }

  return { handlers: [handle(sessionRenew, renew)], stop: () => agenda.stop() };
}

/** What is off is said as the largest number. */
function sessionLimitsOf({ limits }: Config): SessionLimits {
  return {
    maxMessageLength: limits.MAX_MESSAGE_LENGTH ?? Number.MAX_SAFE_INTEGER,
    historyMax: limits.HISTORY_MAX,
    catchupMax: limits.CATCHUP_MAX,
    maxFrameBytes: limits.MAX_FRAME_BYTES ?? Number.MAX_SAFE_INTEGER,
  };
}

/** Socket.IO sends `message` and `data` of a middleware's error in CONNECT_ERROR; both carry the code. */
function connectError(error: ChatError): Error {
  return Object.assign(new Error(error.code), { data: error.toBody() });
}
