import { Redis } from 'ioredis';
import type { Log } from '../log.ts';

/** How long a command may take before it counts as failed: Redis is a hint, nobody waits long for it. */
const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** Reconnects soon and for ever: a tenth of a second at first, a second later on. */
const retryStrategy = (attempt: number): number => Math.min(100 * attempt, 1_000);

type Subscribe = (...channels: string[]) => Promise<unknown>;

/** The adapter subscribes without looking at the result: a failure there must not be an unhandled rejection. */
function subscribeQuietly(client: Redis): void {
  for (const command of ['ssubscribe', 'sunsubscribe'] as const) {
    const send = client[command].bind(client) as Subscribe;
    const quietly: Subscribe = (...channels) => {
      const sent = send(...channels);
      sent.catch(() => {});
      return sent;
    };
    Object.assign(client, { [command]: quietly });
  }
}

export interface RedisClients {
  /** Commands and publishing. Fails at once while Redis is away; callers have a way without it. */
  commands: Redis;
  /** Subscriptions only. Keeps them over reconnects. */
  subscriber: Redis;
  isReady(): boolean;
  close(): void;
}

/** Opens both connections in the background; neither ever throws at the process. */
export function connectRedis(url: string, options: { name: string; log: Log }): RedisClients {
  const shared = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy,
    keepAlive: 10_000,
    connectionName: options.name,
    replyMapping: 'legacy',
  } as const;
  const commands = new Redis(url, {
    ...shared,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
  });
  const subscriber = new Redis(url, { ...shared, maxRetriesPerRequest: null });
  subscribeQuietly(subscriber);
  watch(commands, 'commands', options.log);
  watch(subscriber, 'subscriber', options.log);
  return {
    commands,
    subscriber,
    isReady: () => commands.status === 'ready' && subscriber.status === 'ready',
    close: () => {
      commands.disconnect();
      subscriber.disconnect();
    },
  };
}

/** One line when a connection is lost and one when it is back, not one for each attempt. */
function watch(client: Redis, role: string, log: Log): void {
  let lost = false;
  client.on('error', (error: Error) => {
    if (!lost) log.warn({ err: error, connection: role }, 'Redis is away');
    lost = true;
  });
  client.on('close', () => {
    if (!lost && client.status !== 'end') log.warn({ connection: role }, 'Redis connection closed');
    lost = true;
  });
  client.on('ready', () => {
    log.info({ connection: role }, lost ? 'Redis is back' : 'Redis connected');
    lost = false;
  });
}
