import type { Redis } from 'ioredis';
import type { RedisClients } from '../../platform/redis/clients.ts';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import { ADMIT, HEAR, SETTLE } from './claims.lua.ts';

/** How long the note lasts that a gateway was taken for dead, s: longer than one is cut off from Redis and lives. */
const SWEPT_NOTE_SECONDS = 86_400;
/** Entries of an index that are read at once. */
const INDEX_PAGE = 500;

interface ClaimsRedis extends Redis {
  parleyAdmit(connections: string, gatewayId: string, most: number): Promise<number>;
  parleySettle(connections: string, gatewayId: string, count: number | ''): Promise<number>;
  parleyHear(
    hearers: string,
    gatewayId: string,
    coming: number,
    ...userIds: string[]
  ): Promise<[string, string[], string[], string[]]>;
}

/** A user who hears a room. */
export interface HearerId {
  roomId: string;
  userId: string;
}

/** Who came and who went, by what everybody could see. `version`: later is larger, over all gateways. */
export interface SeenChange {
  version: number;
  came: string[];
  went: string[];
  /** Of those who go: who had no claim left, ours or anybody's. */
  absent: string[];
}

/**
 * What the gateways claim, in Redis. Each gateway also keeps an index of its own claims, so that when it dies the others
 * take exactly those back. An index holds all claims of its gateway, and for a moment more: an entry comes before its
 * claim and goes after it. Every method throws what Redis throws, at once while it is away.
 */
export class Claims {
  readonly #redis: ClaimsRedis;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClients, keys: RedisKeys) {
    this.#redis = redis.commands as ClaimsRedis;
    this.#redis.defineCommand('parleyAdmit', { numberOfKeys: 1, lua: ADMIT });
    this.#redis.defineCommand('parleySettle', { numberOfKeys: 1, lua: SETTLE });
    this.#redis.defineCommand('parleyHear', { numberOfKeys: 1, lua: HEAR });
    this.#keys = keys;
  }

  /** Counts one more socket of a user. @returns undefined when the user has too many, else whether the user appeared */
  async admit(gatewayId: string, userId: string, most: number | null): Promise<boolean | undefined> {
    const [, outcome] = await Promise.all([
      this.#redis.sadd(this.#keys.usersAt(gatewayId), userId),
      this.#redis.parleyAdmit(this.#keys.connectionsOf(userId), gatewayId, most ?? -1),
    ]);
    return outcome < 0 ? undefined : outcome === 1;
  }

  /**
   * Says how many sockets of a user a gateway has, or takes its claim back.
   *
   * @returns whether the user appeared, or has no claim left; the index keeps the user until `forgetUsers`
   */
  async settle(gatewayId: string, userId: string, count: number | undefined): Promise<boolean> {
    const [isChange] = await Promise.all([
      this.#redis.parleySettle(this.#keys.connectionsOf(userId), gatewayId, count ?? ''),
      count !== undefined && this.#redis.sadd(this.#keys.usersAt(gatewayId), userId),
    ]);
    return isChange === 1;
  }

  async hear(gatewayId: string, roomId: string, coming: string[], going: string[]): Promise<SeenChange> {
    const index = this.#keys.hearersAt(gatewayId);
    const users = [...coming, ...going];
    const [, [at, came, went, absent]] = await Promise.all([
      coming.length > 0 && this.#redis.sadd(index, ...coming.map((userId) => `${roomId} ${userId}`)),
      this.#redis.parleyHear(this.#keys.hearersOf(roomId), gatewayId, coming.length, ...users),
    ]);
    if (going.length > 0) await this.#redis.srem(index, ...going.map((userId) => `${roomId} ${userId}`));
    return { version: Number(at), came, went, absent };
  }

  /** Redis's clock in microseconds: what is read after it is at least as new. */
  async version(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1_000_000 + Number(microseconds);
  }

  /** Those of the users who have a claim anywhere. */
  async onlineOf(userIds: readonly string[]): Promise<Set<string>> {
    const found = await Promise.all(userIds.map((userId) => this.#redis.exists(this.#keys.connectionsOf(userId))));
    return new Set(userIds.filter((_, index) => found[index] === 1));
  }

  /** Puts users into the room's set of online members, takes others out. */
  async setOnlineIn(roomId: string, online: readonly string[], offline: readonly string[]): Promise<void> {
    const key = this.#keys.onlineIn(roomId);
    await Promise.all([
      online.length > 0 && this.#redis.sadd(key, ...online),
      offline.length > 0 && this.#redis.srem(key, ...offline),
    ]);
  }

  /** How many members of each room are online, in the order of the rooms. */
  countsOf(roomIds: readonly string[]): Promise<number[]> {
    return Promise.all(roomIds.map((roomId) => this.#redis.scard(this.#keys.onlineIn(roomId))));
  }

  /** Those of the users who are online members of the room. */
  async onlineIn(roomId: string, userIds: readonly string[]): Promise<Set<string>> {
    if (userIds.length === 0) return new Set();
    const found = await this.#redis.smismember(this.#keys.onlineIn(roomId), ...userIds);
    return new Set(userIds.filter((_, index) => found[index] === 1));
  }

  /** Some of the users in a gateway's index. */
  someUsersAt(gatewayId: string): Promise<string[]> {
    return this.#redis.srandmember(this.#keys.usersAt(gatewayId), INDEX_PAGE);
  }

  /** Some of the hearers in a gateway's index. */
  async someHearersAt(gatewayId: string): Promise<HearerId[]> {
    return (await this.#redis.srandmember(this.#keys.hearersAt(gatewayId), INDEX_PAGE)).map(toHearerId);
  }

  async *allUsersAt(gatewayId: string): AsyncIterable<string[]> {
    yield* this.#pages(this.#keys.usersAt(gatewayId));
  }

  async *allHearersAt(gatewayId: string): AsyncIterable<HearerId[]> {
    for await (const page of this.#pages(this.#keys.hearersAt(gatewayId))) yield page.map(toHearerId);
  }

  async forgetUsers(gatewayId: string, userIds: readonly string[]): Promise<void> {
    if (userIds.length > 0) await this.#redis.srem(this.#keys.usersAt(gatewayId), ...userIds);
  }

  /** Notes that others take a gateway's claims back, so that it can tell this from a Redis that has lost its data. */
  async noteSwept(gatewayId: string): Promise<void> {
    await this.#redis.set(this.#keys.sweptNote(gatewayId), '1', 'EX', SWEPT_NOTE_SECONDS);
  }

  async wasSwept(gatewayId: string): Promise<boolean> {
    return (await this.#redis.exists(this.#keys.sweptNote(gatewayId))) === 1;
  }

  async *#pages(key: string): AsyncIterable<string[]> {
    let cursor = '0';
    do {
      const [next, page] = await this.#redis.sscan(key, cursor, 'COUNT', INDEX_PAGE);
      cursor = next;
      yield page;
    } while (cursor !== '0');
  }
}

function toHearerId(entry: string): HearerId {
  const [roomId = '', userId = ''] = entry.split(' ');
  return { roomId, userId };
}
