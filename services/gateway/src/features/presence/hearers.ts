import { Agenda } from '../../platform/agenda.ts';
import type { HearingWatcher } from '../../platform/fanout.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { Batches } from './batches.ts';
import type { Claims, HearerId } from './claims.ts';

/** A grace ends by so much too late at most, ms. */
const GRACE_STEP_MS = 100;
/** Changes that are written at once. */
const BATCH = 1_000;

const NO_SOCKETS: ReadonlySet<ChatSocket> = new Set();

/** A user who hears a room by a socket here, or did until a moment ago. */
interface Hearer extends HearerId {
  readonly sockets: Set<ChatSocket>;
  /** Until when the claim is kept without a socket, ms since the epoch. */
  graceUntil: number;
  /** Whether Redis has our claim; undefined: nobody knows. */
  claimed: boolean | undefined;
  /** `old`: the others know it, also when the claim is new to Redis; `news`: they don't, also when it is not. */
  news: 'as it is' | 'old' | 'news';
}

export interface HearersOptions {
  claims: Claims;
  gatewayId: string;
  graceMs: number;
  /** @param version later is larger, over all gateways */
  onCame: (hearer: HearerId, version: number) => void;
  onWent: (hearer: HearerId, version: number) => void;
  onError: (error: unknown) => void;
}

/**
 * Who hears which room here, and the claims in Redis that say so. Like `Connections`, by room and user: a socket that
 * closes leaves its claims for the grace, one that leaves a room takes the claim back at once.
 */
export class Hearers implements HearingWatcher {
  readonly #options: HearersOptions;
  readonly #rooms = new Map<string, Map<string, Hearer>>();
  readonly #roomsOf = new Map<ChatSocket, Set<string>>();
  readonly #graces = new Agenda<Hearer>((hearer) => void this.#settling.add(hearer, true), {
    resolutionMs: GRACE_STEP_MS,
  });
  readonly #settling: Batches<Hearer, true>;

  constructor(options: HearersOptions) {
    this.#options = options;
    this.#settling = new Batches<Hearer, true>({
      work: (batch) => this.#settleAll([...batch.keys()]),
      most: BATCH,
      onError: options.onError,
    });
  }

  heard(socket: ChatSocket, roomId: string): void {
    const userId = socket.data.identity.user.id;
    const hearer = this.#hearerOf(roomId, userId);
    hearer.sockets.add(socket);
    hearer.graceUntil = 0;
    this.#graces.delete(hearer);
    const rooms = this.#roomsOf.get(socket);
    if (rooms) rooms.add(roomId);
    else this.#roomsOf.set(socket, new Set([roomId]));
    if (hearer.claimed !== true) void this.#settling.add(hearer, true);
  }

  /** At once, whatever the grace. */
  unheard(socket: ChatSocket, roomId: string): void {
    const rooms = this.#roomsOf.get(socket);
    rooms?.delete(roomId);
    if (rooms?.size === 0) this.#roomsOf.delete(socket);
    this.#withdraw(socket, roomId, 0);
  }

  /** The socket is gone: it may be back soon. */
  left(socket: ChatSocket): void {
    for (const roomId of this.#roomsOf.get(socket) ?? []) this.#withdraw(socket, roomId, this.#options.graceMs);
    this.#roomsOf.delete(socket);
  }

  /** The sockets that hear a room here, by user. */
  *in(roomId: string): Iterable<[userId: string, sockets: ReadonlySet<ChatSocket>]> {
    for (const [userId, { sockets }] of this.#rooms.get(roomId) ?? []) if (sockets.size > 0) yield [userId, sockets];
  }

  /** How many users hear a room here, or did a moment ago. */
  countIn(roomId: string): number {
    return this.#rooms.get(roomId)?.size ?? 0;
  }

  has(roomId: string, userId: string): boolean {
    return this.#rooms.get(roomId)?.has(userId) ?? false;
  }

  of(roomId: string, userId: string): ReadonlySet<ChatSocket> {
    return this.#rooms.get(roomId)?.get(userId)?.sockets ?? NO_SOCKETS;
  }

  /**
   * Redis may not have what we claimed: says all of it again.
   *
   * @param isKnown whether the others know of it: Redis has lost its data, but nobody took us for dead
   */
  claimAnew(isKnown: boolean): Promise<void> {
    for (const users of this.#rooms.values()) {
      for (const hearer of users.values()) {
        hearer.news = isKnown && (hearer.claimed === true || hearer.news === 'old') ? 'old' : 'as it is';
        hearer.claimed = undefined;
        void this.#settling.add(hearer, true);
      }
    }
    return this.#settling.attempted();
  }

  /** Others believe that somebody who hears the room here does not: says that it is so. */
  insist(roomId: string, userId: string): void {
    const hearer = this.#rooms.get(roomId)?.get(userId);
    if (!hearer) return;
    hearer.claimed = undefined;
    hearer.news = 'news';
    void this.#settling.add(hearer, true);
  }

  retry(): void {
    this.#settling.retry();
  }

  async stop(): Promise<void> {
    this.#graces.stop();
    await this.#settling.drained();
    this.#settling.stop();
  }

  #hearerOf(roomId: string, userId: string): Hearer {
    const users = this.#rooms.get(roomId) ?? new Map<string, Hearer>();
    this.#rooms.set(roomId, users);
    const known = users.get(userId);
    if (known) return known;
    const hearer = {
      roomId,
      userId,
      sockets: new Set<ChatSocket>(),
      graceUntil: 0,
      claimed: false,
      news: 'as it is',
    } satisfies Hearer;
    users.set(userId, hearer);
    return hearer;
  }

  #withdraw(socket: ChatSocket, roomId: string, graceMs: number): void {
    const hearer = this.#rooms.get(roomId)?.get(socket.data.identity.user.id);
    if (!hearer?.sockets.delete(socket) || hearer.sockets.size > 0) return;
    hearer.graceUntil = Date.now() + graceMs;
    if (graceMs > 0) this.#graces.set(hearer, hearer.graceUntil);
    else void this.#settling.add(hearer, true);
  }

  async #settleAll(hearers: readonly Hearer[]): Promise<void> {
    const byRoom = Map.groupBy(hearers, (hearer) => hearer.roomId);
    const outcomes = await Promise.allSettled([...byRoom].map(([roomId, some]) => this.#settleRoom(roomId, some)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #settleRoom(roomId: string, hearers: readonly Hearer[]): Promise<void> {
    const { claims, gatewayId, onCame, onWent } = this.#options;
    const now = Date.now();
    const coming: Hearer[] = [];
    const going: Hearer[] = [];
    for (const hearer of hearers) {
      const isHere = hearer.sockets.size > 0 || hearer.graceUntil > now;
      if (isHere !== hearer.claimed) (isHere ? coming : going).push(hearer);
      else if (!isHere) this.#forget(hearer);
    }
    if (coming.length + going.length === 0) return;
    // Tried before, without an answer: if Redis lost the claim meanwhile, nobody was told.
    const unsure = new Set(going.flatMap((hearer) => (hearer.claimed === undefined ? hearer.userId : [])));
    for (const hearer of [...coming, ...going]) hearer.claimed = undefined; // until the answer is here
    const { version, came, went, absent } = await claims.hear(
      gatewayId,
      roomId,
      coming.map(({ userId }) => userId),
      going.map(({ userId }) => userId),
    );
    const isNew = new Set(came);
    for (const hearer of coming) {
      const { userId, news } = hearer;
      hearer.claimed = true;
      hearer.news = 'as it is';
      if (news === 'news' || (news === 'as it is' && isNew.has(userId))) onCame({ roomId, userId }, version);
    }
    for (const userId of [...went, ...absent.filter((userId) => unsure.has(userId))]) {
      onWent({ roomId, userId }, version);
    }
    for (const hearer of going) {
      hearer.claimed = false;
      this.#forget(hearer);
    }
  }

  #forget(hearer: Hearer): void {
    const { roomId, userId, sockets } = hearer;
    const users = this.#rooms.get(roomId);
    if (sockets.size > 0 || users?.get(userId) !== hearer) return;
    users.delete(userId);
    if (users.size === 0) this.#rooms.delete(roomId);
  }
}
