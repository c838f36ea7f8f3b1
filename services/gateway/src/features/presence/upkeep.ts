import type { Registry } from '../../platform/peers/registry.ts';
import type { Claims, HearerId } from './claims.ts';
import type { Connections } from './connections.ts';
import type { Hearers } from './hearers.ts';
import type { Memberships } from './memberships.ts';
import type { Roster } from './roster.ts';
import type { Transitions } from './transitions.ts';

/** How often a gateway looks for dead ones, ms. */
const LOOK_EVERY_MS = 2_000;
/**
 * After Redis may have lost its data, so long until who is told to be online and has no claim is taken for offline, ms.
 * The living gateways have said theirs anew by then, and the dead ones are known to be dead.
 */
const LOOK_BACK_AFTER_MS = 15_000;
const PAGE = 500;

export interface UpkeepOptions {
  gatewayId: string;
  registry: Registry;
  claims: Claims;
  connections: Connections;
  hearers: Hearers;
  memberships: Memberships;
  transitions: Transitions;
  roster: Roster;
  /** Users who are told to be online, by id, after the given one. */
  toldOnline: (after: string, limit: number) => Promise<string[]>;
  /** Lets a gateway that was taken for dead know that its claims were taken back. */
  tellSwept: (gatewayId: string) => void;
  onError: (error: unknown) => void;
}

/**
 * Keeps the claims true when something went wrong: takes back those of dead gateways, and says ours anew when Redis may
 * not have them. Both are safe to do twice, half, and by several gateways at once.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lookBackTimer: NodeJS.Timeout | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#lookBackLater();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#lookBackTimer);
    await this.#looking;
  }

  /**
   * Says all that is so here anew. For when Redis came back, with all, some or none of what it had, and for when others
   * took this gateway for dead.
   */
  async claimAnew(): Promise<void> {
    const { claims, gatewayId, connections, hearers, memberships, onError } = this.#options;
    try {
      const wasSwept = await claims.wasSwept(gatewayId);
      await memberships.readAnew();
      await connections.claimAnew();
      await hearers.claimAnew(!wasSwept);
      for await (const userIds of claims.allUsersAt(gatewayId)) await this.#dropStaleUsers(userIds);
      for await (const some of claims.allHearersAt(gatewayId)) await this.#dropStaleHearers(some);
    } catch (error) {
      onError(error);
    }
    this.#lookBackLater();
  }

  #lookBackLater(): void {
    clearTimeout(this.#lookBackTimer);
    this.#lookBackTimer = setTimeout(() => {
      this.#lookBack().catch(this.#options.onError);
    }, LOOK_BACK_AFTER_MS);
  }

  /** Whoever is told to be online but has no claim went while nobody could see it. */
  async #lookBack(): Promise<void> {
    const { claims, transitions, toldOnline } = this.#options;
    let after = '';
    for (;;) {
      const userIds = await toldOnline(after, PAGE);
      const online = await claims.onlineOf(userIds);
      await Promise.all(userIds.flatMap((userId) => (online.has(userId) ? [] : transitions.touch(userId))));
      if (userIds.length < PAGE) return;
      after = userIds.at(-1) as string;
    }
  }

  #look(): void {
    this.#looking ??= this.#sweepDead()
      .catch(this.#options.onError)
      .finally(() => (this.#looking = undefined));
  }

  async #sweepDead(): Promise<void> {
    const { registry, gatewayId } = this.#options;
    for (const dead of await registry.dead()) if (dead !== gatewayId) await this.#sweep(dead);
  }

  /** Users before hearers, so that those who left rooms are shown as offline. */
  async #sweep(dead: string): Promise<void> {
    const { registry, claims, tellSwept } = this.#options;
    await claims.noteSwept(dead);
    for (let users = await claims.someUsersAt(dead); users.length > 0; users = await claims.someUsersAt(dead)) {
      await this.#dropUsers(dead, users);
    }
    for (let some = await claims.someHearersAt(dead); some.length > 0; some = await claims.someHearersAt(dead)) {
      await this.#dropHearers(dead, some);
    }
    tellSwept(dead);
    await registry.bury(dead);
  }

  async #dropUsers(gatewayId: string, userIds: readonly string[]): Promise<void> {
    const { claims, transitions } = this.#options;
    const changed = await Promise.all(
      userIds.map(async (userId) => ((await claims.settle(gatewayId, userId, undefined)) ? userId : [])),
    );
    await Promise.all(changed.flat().map((userId) => transitions.touch(userId)));
    await claims.forgetUsers(gatewayId, userIds);
  }

  async #dropHearers(gatewayId: string, hearers: readonly HearerId[]): Promise<void> {
    const { claims, roster } = this.#options;
    for (const [roomId, ofRoom] of Map.groupBy(hearers, (hearer) => hearer.roomId)) {
      const userIds = ofRoom.map((hearer) => hearer.userId);
      const { version, went } = await claims.hear(gatewayId, roomId, [], userIds);
      for (const userId of went) roster.went({ roomId, userId }, version);
    }
  }

  /** What Redis has of us from an earlier time. */
  async #dropStaleUsers(userIds: readonly string[]): Promise<void> {
    const { connections, gatewayId } = this.#options;
    const stale = userIds.filter((userId) => !connections.has(userId));
    if (stale.length > 0) await this.#dropUsers(gatewayId, stale);
  }

  async #dropStaleHearers(some: readonly HearerId[]): Promise<void> {
    const { hearers, gatewayId } = this.#options;
    const stale = some.filter(({ roomId, userId }) => !hearers.has(roomId, userId));
    if (stale.length > 0) await this.#dropHearers(gatewayId, stale);
  }
}
