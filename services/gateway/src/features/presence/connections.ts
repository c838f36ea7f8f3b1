import { Agenda } from '../../platform/agenda.ts';
import { Batches } from './batches.ts';
import type { Claims } from './claims.ts';

/** A grace ends by so much too late at most, ms. */
const GRACE_STEP_MS = 100;

/** A user with a socket here, or in the grace after the last one. */
interface UserHere {
  readonly id: string;
  /** Sockets that were admitted. */
  live: number;
  /** Sockets that Redis is being asked about. */
  admitting: number;
  /** Until when the claim is kept without a socket, ms since the epoch. */
  graceUntil: number;
  /** What Redis has of us; undefined: no claim. */
  claimed: number | undefined;
  /** Nobody knows what Redis has of us. */
  isUnsure: boolean;
}

export interface ConnectionsOptions {
  claims: Claims;
  gatewayId: string;
  graceMs: number;
  /** Of a user over all gateways; null: any number. */
  most: number | null;
  /** Whether anybody sees a user online may have changed. Resolves when it is settled. */
  onChange: (userId: string) => Promise<void>;
  /** The user has no claim here any more. */
  onGone: (userId: string) => void;
  onError: (error: unknown) => void;
}

/**
 * Which users are connected here, and the claims in Redis that say so.
 *
 *   absent ──admit──> here ──last socket closes──> in grace ──grace is over──> absent
 *                      ^───────────admit──────────────┘
 *
 * A claim counts the user's sockets here; in the grace it stays with 0. Since each gateway holds a claim of its own, a
 * late close of an old socket takes nothing from a new one elsewhere.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #users = new Map<string, UserHere>();
  readonly #graces = new Agenda<UserHere>((user) => this.#settle(user), { resolutionMs: GRACE_STEP_MS });
  readonly #settling: Batches<UserHere, true>;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#settling = new Batches<UserHere, true>({
      work: (batch) => this.#settleAll([...batch.keys()]),
      onError: options.onError,
    });
  }

  get size(): number {
    return this.#users.size;
  }

  /** Has a socket here, or had one a moment ago. */
  has(userId: string): boolean {
    return this.#users.has(userId);
  }

  isConnected(userId: string): boolean {
    return (this.#users.get(userId)?.live ?? 0) > 0;
  }

  userIds(): IterableIterator<string> {
    return this.#users.keys();
  }

  /**
   * Counts a new socket of a user over all gateways. With Redis away this gateway's own ones are counted.
   *
   * @returns false when the user has too many: then nothing is left behind
   */
  async admit(userId: string): Promise<boolean> {
    const { claims, gatewayId, most } = this.#options;
    const user = this.#userOf(userId);
    user.admitting += 1;
    let isAdmitted: boolean;
    try {
      const outcome = await claims.admit(gatewayId, userId, most);
      isAdmitted = outcome !== undefined;
      if (isAdmitted) user.claimed = (user.claimed ?? 0) + 1;
      if (outcome) void this.#options.onChange(userId);
    } catch (error) {
      this.#options.onError(error);
      isAdmitted = most === null || user.live < most;
      user.isUnsure = true;
    }
    user.admitting -= 1;
    if (isAdmitted) {
      user.live += 1;
      user.graceUntil = 0;
      this.#graces.delete(user);
    }
    if (user.isUnsure || user.claimed !== user.live) this.#settle(user);
    return isAdmitted;
  }

  /** A socket that was admitted is gone. */
  left(userId: string): void {
    const user = this.#users.get(userId);
    if (!user || user.live === 0) return;
    user.live -= 1;
    if (user.live === 0) {
      user.graceUntil = Date.now() + this.#options.graceMs;
      this.#graces.set(user, user.graceUntil);
    }
    this.#settle(user);
  }

  /** Redis may not have what we claimed: says it again for one user or for all. */
  claimAnew(userId?: string): Promise<void> {
    for (const user of userId === undefined ? this.#users.values() : [this.#userOf(userId)]) {
      user.isUnsure = true;
      this.#settle(user);
    }
    return this.#settling.attempted();
  }

  retry(): void {
    this.#settling.retry();
  }

  async stop(): Promise<void> {
    this.#graces.stop();
    await this.#settling.drained();
    this.#settling.stop();
  }

  #userOf(userId: string): UserHere {
    const known = this.#users.get(userId);
    if (known) return known;
    const user = { id: userId, live: 0, admitting: 0, graceUntil: 0, claimed: undefined, isUnsure: false };
    this.#users.set(userId, user);
    return user;
  }

  #settle(user: UserHere): void {
    void this.#settling.add(user, true);
  }

  async #settleAll(users: readonly UserHere[]): Promise<void> {
    const outcomes = await Promise.allSettled(users.map((user) => this.#settleOne(user)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Says in Redis what is so here. One that is being asked about is passed over: its answer comes back here. */
  async #settleOne(user: UserHere): Promise<void> {
    if (user.admitting > 0 || this.#users.get(user.id) !== user) return;
    const { claims, gatewayId } = this.#options;
    const wanted = user.live > 0 || user.graceUntil > Date.now() ? user.live : undefined;
    if (wanted === user.claimed && !user.isUnsure) {
      if (wanted === undefined) this.#forget(user);
      return;
    }
    user.isUnsure = true; // until the answer is here
    const isChange = await claims.settle(gatewayId, user.id, wanted);
    user.claimed = wanted;
    user.isUnsure = false;
    if (wanted === undefined) this.#forget(user);
    const told = isChange ? this.#options.onChange(user.id) : Promise.resolve();
    // The index goes last: if we die before the change is told, others find the user there.
    if (wanted === undefined) void told.then(() => this.#leaveIndex(user.id));
  }

  #forget(user: UserHere): void {
    if (user.live > 0 || user.admitting > 0) return;
    this.#users.delete(user.id);
    this.#graces.delete(user);
    this.#options.onGone(user.id);
  }

  #leaveIndex(userId: string): void {
    if (this.#users.has(userId)) return;
    this.#options.claims.forgetUsers(this.#options.gatewayId, [userId]).catch(this.#options.onError);
  }
}
