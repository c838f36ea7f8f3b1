import type { Redis } from 'ioredis';
import type { Log } from '../log.ts';
import type { RedisClients } from '../redis/clients.ts';
import type { RedisKeys } from '../redis/keys.ts';
import { ALIVE, BEAT, BURY, DEAD, LEAVE } from './registry.lua.ts';

/** How often a gateway says that it lives, ms. */
const BEAT_EVERY_MS = 3_000;
/** A gateway that has not said so for this long counts as dead, ms: three beats may be lost. */
export const DEAD_AFTER_MS = 12_000;

interface RegistryRedis extends Redis {
  parleyBeat(living: string, left: string, id: string): Promise<number>;
  parleyAlive(living: string, deadAfterMs: number): Promise<string[]>;
  parleyDead(living: string, left: string, deadAfterMs: number): Promise<string[]>;
  parleyBury(living: string, left: string, id: string, deadAfterMs: number): Promise<void>;
  parleyLeave(living: string, left: string, id: string, graceMs: number): Promise<void>;
}

/**
 * The gateways of the cluster as Redis knows them. By Redis's clock, so that those of the gateways need not agree.
 *
 *   absent ──beat──> alive ──no beat for 12 s──> dead ──bury──> absent
 *                      └──leave──> left ──grace──┘
 */
export interface Registry {
  /**
   * Also those that lived when Redis lost its data, until they have had the time to come back: they are there, and nobody
   * may take them for gone only because Redis has forgotten them.
   *
   * @throws what Redis throws
   */
  alive(): Promise<string[]>;
  /** Those past their time that nobody has buried yet. @throws what Redis throws */
  dead(): Promise<string[]>;
  /** Takes a dead one out, once what it left behind is cleared away. One that has come back stays. */
  bury(id: string): Promise<void>;
  /**
   * Runs when this gateway was missing at a beat: Redis has lost its data, or others took this gateway for dead. What is
   * registered elsewhere of it has to be registered anew.
   */
  onForgotten(run: () => void): void;
  /** For a stop: no more beats, and others may bury this gateway once `graceMs` have passed. */
  leave(graceMs: number): Promise<void>;
}

export interface BeatingRegistry extends Registry {
  /** The first beat, and all that follow. Resolves when Redis has it, or is known to be away. */
  start(): Promise<void>;
  stop(): void;
}

export function createRegistry(id: string, redis: RedisClients, keys: RedisKeys, log: Log): BeatingRegistry {
  const commands = scripted(redis.commands);
  const { livingGateways, leftGateways } = keys;
  const forgotten: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let wasKnown = false;
  /** Who lived, as Redis said last before it lost its data. */
  let lastLiving: readonly string[] = [];
  let remembered: { ids: readonly string[]; until: number } = { ids: [], until: 0 };

  async function alive(): Promise<string[]> {
    const living = await commands.parleyAlive(livingGateways, DEAD_AFTER_MS);
    if (Date.now() < remembered.until) return [...new Set([...living, ...remembered.ids])];
    // Without this gateway among them, Redis has lost its data and does not know the others yet.
    if (timer && wasKnown && !living.includes(id)) return [...new Set([...living, ...lastLiving])];
    lastLiving = living;
    return living;
  }

  async function beat(): Promise<void> {
    try {
      const isKnown = (await commands.parleyBeat(livingGateways, leftGateways, id)) === 1;
      if (!isKnown && wasKnown) {
        remembered = { ids: lastLiving, until: Date.now() + DEAD_AFTER_MS };
        log.warn('Redis has forgotten this gateway: registering anew');
        for (const run of forgotten) run();
      }
      wasKnown = true;
      await alive();
    } catch {
      // Redis is away; the next beat will tell what it has forgotten.
    }
  }
  const beatOnReturn = (): void => void (timer && beat());
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
    redis.commands.off('ready', beatOnReturn);
  };

  return {
    async start() {
      redis.commands.on('ready', beatOnReturn);
      timer = setInterval(() => void beat(), BEAT_EVERY_MS);
      await beat();
    },
    stop,
    alive,
    dead: () => commands.parleyDead(livingGateways, leftGateways, DEAD_AFTER_MS),
    bury: (other) => commands.parleyBury(livingGateways, leftGateways, other, DEAD_AFTER_MS),
    onForgotten: (run) => void forgotten.push(run),
    async leave(graceMs) {
      stop();
      await commands.parleyLeave(livingGateways, leftGateways, id, graceMs).catch(() => {}); // then it dies by its last beat
    },
  };
}

/** Teaches the client the scripts; ioredis sends them by hash afterwards. */
function scripted(commands: Redis): RegistryRedis {
  const redis = commands as RegistryRedis;
  redis.defineCommand('parleyBeat', { numberOfKeys: 2, lua: BEAT });
  redis.defineCommand('parleyAlive', { numberOfKeys: 1, lua: ALIVE });
  redis.defineCommand('parleyDead', { numberOfKeys: 2, lua: DEAD });
  redis.defineCommand('parleyBury', { numberOfKeys: 2, lua: BURY });
  redis.defineCommand('parleyLeave', { numberOfKeys: 2, lua: LEAVE });
  return redis;
}
