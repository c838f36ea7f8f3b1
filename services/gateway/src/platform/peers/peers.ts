import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import type { RedisClients } from '../redis/clients.ts';
import type { RedisKeys } from '../redis/keys.ts';
import { Outbox } from './outbox.ts';
import { createRegistry, type Registry } from './registry.ts';

/** How long `askAll` waits for the others, ms. Longer than the streams take to find out from PostgreSQL. */
const ANSWER_TIMEOUT_MS = 2_500;

/** Stands for gateways that can't be named; it never answers. */
const UNKNOWN = '?';

/** Something that gateways tell each other. */
export interface PeerTopic<Payload> {
  readonly name: string;
  /** Only to tie the payload's type to the name. */
  readonly _payload?: Payload;
}

/** @param name unique in the cluster, such as `hearing:evict`; gateways that do not know it ignore it */
export function peerTopic<Payload>(name: string): PeerTopic<Payload> {
  return { name };
}

/**
 * The gateways of the cluster as one of them sees the others. For what is rare and concerns all of them or a few; what
 * happens in a room goes through the room's own channels.
 */
export interface Peers {
  /** This gateway; unique for its process. */
  readonly id: string;
  readonly registry: Registry;
  /** What is done here when a gateway says so, this one among them. To be called before the gateway is ready. */
  on<Payload>(topic: PeerTopic<Payload>, act: (payload: Payload) => void | Promise<void>): void;
  /** Does it here at once, and has it done by all others. One that is cut off from Redis does not hear of it. */
  tellAll<Payload>(topic: PeerTopic<Payload>, payload: Payload): void;
  /**
   * The same for the given gateways.
   *
   * @param ids may name this gateway
   */
  tell<Payload>(ids: Iterable<string>, topic: PeerTopic<Payload>, payload: Payload): void;
  /**
   * Does it here and has it done by all others; resolves when all that live have said that it is done, after 2.5 s at
   * the latest.
   *
   * @returns whether all have. False also while Redis is away.
   */
  askAll<Payload>(topic: PeerTopic<Payload>, payload: Payload): Promise<boolean>;
}

export interface ConnectedPeers extends Peers {
  /** Listens and is listed from now on. */
  start(): Promise<void>;
  stop(): void;
}

/** Something to do, with a number when an answer is wanted; or that answer. On the wire: who says it, and a list. */
type Line = { topic: string; payload: unknown; ask?: number } | { done: number };

interface Asked {
  waiting: Set<string>;
  complete: () => void;
}

export function createPeers({ redis, keys, log }: { redis: RedisClients; keys: RedisKeys; log: Log }): ConnectedPeers {
  const id = randomUUID();
  const registry = createRegistry(id, redis, keys, log);
  const acts = new Map<string, (payload: never) => void | Promise<void>>();
  const asked = new Map<number, Asked>();
  let asks = 0;

  /** @throws what the act throws */
  async function perform(topic: string, payload: unknown): Promise<void> {
    await acts.get(topic)?.(payload as never);
  }

  function performLogged(topic: string, payload: unknown): Promise<boolean> {
    return perform(topic, payload).then(
      () => true,
      (error: unknown) => {
        log.error({ err: error, topic }, 'what a gateway asked for failed');
        return false;
      },
    );
  }

  function publish(channel: string, lines: readonly Line[]): void {
    redis.commands.spublish(channel, `${id} ${JSON.stringify(lines)}`).catch(() => {});
  }
  const toAll = new Outbox<Line>((lines) => publish(keys.peersChannel, lines));

  async function receive(from: string, line: Line): Promise<void> {
    if ('done' in line) {
      const ask = asked.get(line.done);
      ask?.waiting.delete(from);
      if (ask?.waiting.size === 0) ask.complete();
      return;
    }
    const isDone = await performLogged(line.topic, line.payload);
    if (isDone && line.ask !== undefined) publish(keys.peerChannel(from), [{ done: line.ask }]);
  }

  // Not `smessage`: as long as anybody listens to that, all that comes over this connection is made text.
  const ownChannels = new Set([keys.peersChannel, keys.peerChannel(id)]);
  const onMessage = (channel: Buffer, payload: Buffer): void => {
    if (!ownChannels.has(channel.toString())) return;
    const text = payload.toString();
    const end = text.indexOf(' ');
    const from = text.slice(0, end);
    if (from === id) return; // done here already
    for (const line of JSON.parse(text.slice(end)) as Line[]) void receive(from, line);
  };

  async function answersOfOthers(topic: string, payload: unknown): Promise<boolean> {
    asks += 1;
    const number = asks;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ANSWER_TIMEOUT_MS);
    try {
      // With Redis away nobody can be asked, and nobody knows who is there: wait for those who find out by themselves.
      const others = new Set(await registry.alive().catch(() => [UNKNOWN]));
      others.delete(id);
      if (others.size === 0) return true;
      asked.set(number, { waiting: others, complete: () => resolve(true) });
      toAll.add({ topic, payload, ask: number });
      toAll.flush();
      return await promise;
    } finally {
      clearTimeout(timer);
      asked.delete(number);
    }
  }

  return {
    id,
    registry,
    on: (topic, act) => void acts.set(topic.name, act),
    tellAll(topic, payload) {
      void performLogged(topic.name, payload);
      toAll.add({ topic: topic.name, payload });
    },
    tell(ids, topic, payload) {
      for (const other of ids) {
        if (other === id) void performLogged(topic.name, payload);
        else publish(keys.peerChannel(other), [{ topic: topic.name, payload }]);
      }
    },
    async askAll(topic, payload) {
      const [, all] = await Promise.all([perform(topic.name, payload), answersOfOthers(topic.name, payload)]);
      return all;
    },
    async start() {
      redis.subscriber.on('smessageBuffer', onMessage);
      await redis.subscriber.ssubscribe(keys.peersChannel);
      await redis.subscriber.ssubscribe(keys.peerChannel(id));
      await registry.start();
    },
    stop() {
      registry.stop();
      toAll.flush();
      redis.subscriber.off('smessageBuffer', onMessage);
    },
  };
}
