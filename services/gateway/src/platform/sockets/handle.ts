import type { Command, CommandInput, CommandOutput, ErrorCode } from '@parley/protocol';
import { ChatError } from '../errors.ts';
import { reportedError, validationError } from '../failures.ts';
import type { Identity } from '../identity.ts';
import type { Log } from '../log.ts';
import type { RequestMetrics } from '../metrics.ts';
import { isRefusal } from '../rate-limit/refusal.ts';
import type { ChatServer, ChatSocket } from './types.ts';
import { boundUnread, hasEnoughUnread } from './unread.ts';

/** Requests of one socket that may be under way at once; a client that pipelines more is told to slow down. */
export const MAX_IN_FLIGHT = 1_000;
const RETRY_WHEN_BUSY_MS = 1_000;
/** Of the name of an event that failed, so much is sent back, characters. */
const MAX_EVENT_ECHO = 128;

/** One request of a socket. */
export interface SocketRequest {
  readonly socket: ChatSocket;
  readonly actor: Identity;
  /** Runs once the answer is on its way, whichever it is. */
  readonly afterAnswer: (run: () => void) => void;
}

/** One event and what is done for it. */
export interface SocketHandler<Context> {
  command: Command;
  act: (ctx: Context, request: SocketRequest, input: never) => Promise<unknown>;
}

/** Ties an action to its event; the types of both have to agree. */
export function handle<Context, C extends Command>(
  command: C,
  act: (ctx: Context, request: SocketRequest, input: CommandInput<C>) => Promise<CommandOutput<C>>,
): SocketHandler<Context> {
  return { command, act };
}

export interface DoorOptions<Context> {
  io: ChatServer;
  ctx: Context;
  handlers: readonly SocketHandler<Context>[];
  log: Log;
  metrics: RequestMetrics;
  /** Told of every request that was refused by a rate, once the answer is on its way. */
  onRefused: (socket: ChatSocket) => void;
}

/**
 * The only way in for what sockets send: find the event, parse, act, answer. An action gets parsed input and returns
 * data or throws; whatever it throws is turned into one answer here, and the connection lives on.
 *
 * One listener function serves all sockets (Socket.IO calls it with the socket as `this`), so that a connection costs
 * no closures.
 */
export function openDoor<Context>({ io, ctx, handlers, log, metrics, onRefused }: DoorOptions<Context>): void {
  const byEvent = new Map<string, SocketHandler<Context>>(handlers.map((handler) => [handler.command.name, handler]));

  async function perform(request: SocketRequest, event: string, payload: unknown): Promise<unknown> {
    const { socket } = request;
    const handler = byEvent.get(event);
    if (!handler) throw new ChatError('UNKNOWN_EVENT');
    if (socket.data.inFlight >= MAX_IN_FLIGHT) {
      throw new ChatError('RATE_LIMITED', { message: 'Too many requests at once', retryAfterMs: RETRY_WHEN_BUSY_MS });
    }
    if (hasEnoughUnread(socket)) {
      throw new ChatError('RATE_LIMITED', { message: 'Read the answers first', retryAfterMs: RETRY_WHEN_BUSY_MS });
    }
    const parsed = handler.command.input.safeParse(payload);
    if (!parsed.success) throw validationError(parsed.error);
    socket.data.inFlight += 1;
    try {
      return await handler.act(ctx, request, parsed.data as never);
    } finally {
      socket.data.inFlight -= 1;
    }
  }

  /** What a line about a request says; the room is whatever well-formed id the payload names. */
  function contextOf(socket: ChatSocket, event: string, payload: unknown): Record<string, unknown> {
    const roomId = (payload as { roomId?: unknown } | null | undefined)?.roomId;
    return {
      event,
      connectionId: socket.id,
      userId: socket.data.identity.user.id,
      ...(typeof roomId === 'string' && roomId.length === 36 && { roomId }),
    };
  }

  async function answer(socket: ChatSocket, event: string, args: unknown[]): Promise<void> {
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as (answer: unknown) => void) : undefined;
    const known = byEvent.has(event) ? event : 'unknown';
    const payload = ack && args.length === 1 ? undefined : args[0];
    const startedAt = performance.now();
    let after: (() => void) | undefined;
    let code: ErrorCode | 'OK' = 'OK';
    const request: SocketRequest = {
      socket,
      actor: socket.data.identity,
      afterAnswer: (run) => {
        after = run;
      },
    };
    try {
      const data = await perform(request, event, payload);
      ack?.({ ok: true, data });
    } catch (thrown) {
      const error = reportedError(log, thrown, 'request failed', () => contextOf(socket, event, payload));
      code = error.code;
      if (ack) ack({ ok: false, error: error.toBody() });
      else socket.emit('request:error', { event: event.slice(0, MAX_EVENT_ECHO), ...error.toBody() });
      if (isRefusal(error)) onRefused(socket);
    }
    boundUnread(socket);
    after?.();
    metrics.count(known, code);
    if (log.isLevelEnabled('debug')) {
      log.debug({ code, ms: performance.now() - startedAt, ...contextOf(socket, known, payload) }, 'request');
    }
  }

  function onAny(this: ChatSocket, event: unknown, ...args: unknown[]): void {
    if (this.data.isEnded || this.data.isLeaving) return;
    // Whoever writes packets by hand can call an event by a number.
    answer(this, String(event), args).catch((error: unknown) => log.error({ err: error }, 'answering failed'));
  }

  io.on('connection', (socket) => {
    socket.onAny(onAny);
  });
}
