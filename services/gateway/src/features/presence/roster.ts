import type { User } from '@parley/protocol';
import { toUser, type UserRow } from '../users/view.ts';
import { Batches } from './batches.ts';
import type { Claims, HearerId } from './claims.ts';

/** Of a room so many are named in one batch, and in one event. */
export const ROSTER_USERS = 50;

/** Who came to hear a room and who left it since the last batch of a gateway. */
export interface RosterChange {
  /** The gateway that says so. */
  from: string;
  /** Members who are online. */
  online: number;
  joined: RosterEntry[];
  left: RosterEntry[];
}

/** @property version orders what several gateways say of one user; later is larger */
export interface RosterEntry {
  user: User;
  version: number;
}

export interface RosterOptions {
  claims: Claims;
  gatewayId: string;
  /** Resolves once the states of users are settled, so that those who left are shown as they are. */
  settled: () => Promise<void>;
  /** Those of the users who are online. */
  onlineOf: (userIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Who was read a moment ago, for this; each is given once. */
  takeSeen: (userId: string) => UserRow | undefined;
  usersById: (userIds: string[]) => Promise<UserRow[]>;
  tell: (roomId: string, change: RosterChange) => void;
  onError: (error: unknown) => void;
}

interface Step extends HearerId {
  /** 1: came, -1: went, 0: came and went, or the other way round, before anybody was told. */
  change: -1 | 0 | 1;
  version: number;
}

/** Tells the gateways that hear a room who begins and ceases to hear it, with as much of the users as their clients are told. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #batches: Batches<string, Step>;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#batches = new Batches<string, Step>({
      work: (batch) => this.#process([...batch.values()]),
      merge: (earlier, later) => ({ ...later, change: Math.sign(earlier.change + later.change) as Step['change'] }),
      most: 2_000,
      onError: options.onError,
    });
  }

  came(hearer: HearerId, version: number): void {
    this.#add({ ...hearer, change: 1, version });
  }

  went(hearer: HearerId, version: number): void {
    this.#add({ ...hearer, change: -1, version });
  }

  retry(): void {
    this.#batches.retry();
  }

  async stop(): Promise<void> {
    await this.#batches.drained();
    this.#batches.stop();
  }

  #add(step: Step): void {
    void this.#batches.add(`${step.roomId} ${step.userId}`, step);
  }

  async #process(steps: readonly Step[]): Promise<void> {
    const { claims, gatewayId, settled, onlineOf, takeSeen, usersById, tell } = this.#options;
    await settled();
    const seen = steps.filter((step) => step.change !== 0);
    const byRoom = [...Map.groupBy(seen, (step) => step.roomId)].map(([roomId, ofRoom]) => ({
      roomId,
      joined: ofRoom.filter((step) => step.change > 0).slice(0, ROSTER_USERS),
      left: ofRoom.filter((step) => step.change < 0).slice(0, ROSTER_USERS),
    }));
    if (byRoom.length === 0) return;
    const named = [...new Set(byRoom.flatMap(({ joined, left }) => [...joined, ...left].map((step) => step.userId)))];
    const left = new Set(byRoom.flatMap((room) => room.left.map((step) => step.userId)));
    const lately = named.flatMap((userId) => (left.has(userId) ? [] : (takeSeen(userId) ?? [])));
    const known = new Set(lately.map((user) => user.id));
    const [read, online, counts] = await Promise.all([
      usersById(named.filter((userId) => !known.has(userId))),
      onlineOf(named),
      claims.countsOf(byRoom.map(({ roomId }) => roomId)),
    ]);
    const users = new Map([...lately, ...read].map((row) => [row.id, toUser(row, online.has(row.id))]));
    const entriesOf = (some: readonly Step[]): RosterEntry[] =>
      some.flatMap(({ userId, version }) => {
        const user = users.get(userId);
        return user ? { user, version } : [];
      });
    for (const [index, { roomId, joined, left }] of byRoom.entries()) {
      tell(roomId, { from: gatewayId, online: counts[index] ?? 0, joined: entriesOf(joined), left: entriesOf(left) });
    }
  }
}
