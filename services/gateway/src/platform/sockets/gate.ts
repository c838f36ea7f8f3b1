import type { Socket as Transport } from 'engine.io';
import type { IncomingMessage } from 'node:http';
import { ChatError } from '../errors.ts';
import { reportedError } from '../failures.ts';
import type { ClientAddressOf } from '../http/address.ts';
import { findCredential } from '../http/credentials.ts';
import type { IsAllowedOrigin } from '../http/origin.ts';
import type { Authenticate, Identity } from '../identity.ts';
import type { Log } from '../log.ts';
import type { PendingTransports } from './pending.ts';

export interface GateOptions {
  log: Log;
  authenticate: Authenticate;
  addressOf: ClientAddressOf;
  isAllowedOrigin: IsAllowedOrigin;
  pending: PendingTransports;
  /** Transports that are open now. */
  connections: () => number;
  /** Whether new transports are welcome; false while starting and late in a drain. */
  isOpen: () => boolean;
  maxConnections: number | null;
  maxPendingPerAddress: number | null;
  requireUpgradeAuth: boolean;
}

/** How long a client that found this replica full should wait before it tries again, ms. */
const RETRY_WHEN_FULL_MS = 5_000;
const RETRY_WHEN_CROWDED_MS = 1_000;

/** What is known of a request that was let in. */
export interface Admission {
  address: string;
  identity?: Identity;
}

/**
 * The checks before a transport opens (contract, section 1), on plain HTTP: where a request comes from, whether there
 * is room, and who it says it is. Requests of a session that is open already are checked for their origin alone: the
 * session id is their proof, and a header token may have been renewed over the socket since.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #admitted = new WeakMap<IncomingMessage, Admission>();
  readonly #admissions = new WeakMap<Transport, Admission>();
  /** Handshakes of this turn of the event loop, and the address of those without a credential. */
  readonly #entering = new Map<IncomingMessage, string | undefined>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** What `admit` found out about the request that opened the transport. */
  admissionOf(transport: Transport): Admission | undefined {
    return this.#admissions.get(transport);
  }

  /** @returns why the request may not pass, or undefined */
  async admit(request: IncomingMessage): Promise<ChatError | undefined> {
    try {
      if (!this.#options.isAllowedOrigin(request)) throw new ChatError('FORBIDDEN', { message: 'Origin not allowed' });
      if (isHandshake(request)) this.#admitted.set(request, await this.#admitHandshake(request));
      return undefined;
    } catch (error) {
      return reportedError(this.#options.log, error, 'a handshake failed');
    }
  }

  async #admitHandshake(request: IncomingMessage): Promise<Admission> {
    const { authenticate, addressOf, requireUpgradeAuth } = this.#options;
    const address = addressOf(request);
    const credential = findCredential(request);
    const anonymous = credential ? undefined : address;
    this.#requireRoom(anonymous); // before anything that costs
    if (!credential && requireUpgradeAuth) throw new ChatError('UNAUTHORIZED', { message: 'A token is required' });
    const identity = credential && (await authenticate(credential.token));
    this.#requireRoom(anonymous);
    this.#enter(request, anonymous);
    return { address, ...(identity && { identity }) };
  }

  /** @param anonymous the address of a transport that brings no credential */
  #requireRoom(anonymous: string | undefined): void {
    const { pending, connections, isOpen, maxConnections, maxPendingPerAddress } = this.#options;
    if (!isOpen() || (maxConnections !== null && connections() + this.#entering.size >= maxConnections)) {
      throw new ChatError('UNAVAILABLE', { message: 'This replica is full', retryAfterMs: RETRY_WHEN_FULL_MS });
    }
    if (anonymous === undefined || maxPendingPerAddress === null) return;
    if (pending.count(anonymous) + this.#enteringFrom(anonymous) >= maxPendingPerAddress) {
      throw new ChatError('RATE_LIMITED', {
        message: 'Too many connections wait for their CONNECT',
        retryAfterMs: RETRY_WHEN_CROWDED_MS,
      });
    }
  }

  /**
   * Counts who was let in until engine.io does (`opened`): of a crowd that comes at once no more get in than there is room
   * for. A handshake that comes to nothing has failed by the end of this turn of the event loop.
   */
  #enter(request: IncomingMessage, anonymous: string | undefined): void {
    this.#entering.set(request, anonymous);
    setImmediate(() => this.#entering.delete(request));
  }

  /**
   * A transport has opened, and is counted elsewhere from now on. Its request is let go: with its headers it would be a
   * good part of what an idle connection costs.
   */
  opened(transport: Transport): Admission | undefined {
    const { request } = transport;
    const admission = this.#admitted.get(request);
    if (admission) this.#admissions.set(transport, admission);
    this.#entering.delete(request);
    transport.request = null as unknown as IncomingMessage; // the way that Socket.IO's documentation gives
    return admission;
  }

  #enteringFrom(address: string): number {
    let count = 0;
    for (const from of this.#entering.values()) if (from === address) count += 1;
    return count;
  }
}

/**
 * Whether engine.io will take the request for a handshake. It reads the query that is parsed here (`_query`), so that
 * the two can't disagree over a `sid` that is empty or given twice.
 */
function isHandshake(request: IncomingMessage & { _query?: Record<string, string> }): boolean {
  request._query ??= Object.fromEntries(new URLSearchParams(request.url?.split('?')[1] ?? ''));
  return !request._query['sid'];
}
