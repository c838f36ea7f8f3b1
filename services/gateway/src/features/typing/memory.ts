import type { UserRef } from '@parley/protocol';
import type { Redis } from 'ioredis';
import type { RedisClients } from '../../platform/redis/clients.ts';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import { RECALL, REMEMBER } from './memory.lua.ts';

/** A user who types on some device at a gateway. */
export interface Typing {
  user: UserRef;
  gatewayId: string;
}

/**
 * Who types, in Redis, for gateways where nobody has heard the room until now. Everything else goes without it: with
 * Redis away nothing is remembered, and such a gateway shows who types once they go on.
 */
export interface TypingMemory {
  remember(roomId: string, typing: Typing): void;
  forget(roomId: string, typing: Typing): void;
  /** @throws what Redis throws */
  recall(roomId: string): Promise<(Typing & { leftMs: number })[]>;
}

interface TypingRedis extends Redis {
  parleyRememberTyping(key: string, typist: string, lastsMs: number): Promise<void>;
  parleyRecallTyping(key: string): Promise<(string | number)[]>;
}

export function createTypingMemory(redis: RedisClients, keys: RedisKeys, timeoutMs: number): TypingMemory {
  const commands = redis.commands as TypingRedis;
  commands.defineCommand('parleyRememberTyping', { numberOfKeys: 1, lua: REMEMBER });
  commands.defineCommand('parleyRecallTyping', { numberOfKeys: 1, lua: RECALL });
  return {
    remember(roomId, typing) {
      commands.parleyRememberTyping(keys.typingIn(roomId), encode(typing), timeoutMs).catch(() => {});
    },
    forget(roomId, typing) {
      commands.zrem(keys.typingIn(roomId), encode(typing)).catch(() => {});
    },
    async recall(roomId) {
      const found = await commands.parleyRecallTyping(keys.typingIn(roomId));
      return Array.from({ length: found.length / 2 }, (_, index) => ({
        ...decode(String(found[2 * index])),
        leftMs: Number(found[2 * index + 1]),
      }));
    },
  };
}

/** Neither id can have a space; the name may. */
function encode({ user, gatewayId }: Typing): string {
  return `${user.id} ${gatewayId} ${user.name}`;
}

function decode(typist: string): Typing {
  const [id = '', gatewayId = '', ...name] = typist.split(' ');
  return { user: { id, name: name.join(' ') }, gatewayId };
}
