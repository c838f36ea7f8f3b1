import type { Context } from '../../context.ts';
import { peerTopic } from '../../platform/peers/peers.ts';
import { endSession } from '../../platform/sockets/ending.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { findBearer } from './bearer.sql.ts';
import { findEnded } from './endings.sql.ts';
import { endingOf } from './standing.ts';

/** How often a gateway looks by itself for what has ended, ms: while Redis is there, and while it is away. */
const LOOK_EVERY_MS = 3_000;
const LOOK_EVERY_ALONE_MS = 750;
/** How often it is asked whether a look is due, ms. */
const TICK_MS = 150;
/** How far a look goes back behind the one before, ms: a row is written a moment before its commit can be seen. */
const LOOK_BACK_MS = 10_000;
/** For how long it is kept that something of a user has ended, ms; longer than any CONNECT takes. */
const REMEMBERED_MS = 60_000;

const MESSAGES = { LOGGED_OUT: 'Logged out', BANNED: 'Banned by an operator' } as const;

/** A session, a token, or all of a user have ended, which is committed. */
const ENDED = peerTopic<{ userId: string }>('auth:ended');

/** Has all gateways end the sockets that came with what has ended. To be called after the commit. */
export function tellEnded({ peers }: Pick<Context, 'peers'>, userId: string): void {
  peers.tellAll(ENDED, { userId });
}

/** The same; resolves when it is done at all living gateways, after 2.5 s at the latest. */
export function askEnded({ peers }: Pick<Context, 'peers'>, userId: string): Promise<boolean> {
  return peers.askAll(ENDED, { userId });
}

export interface Endings {
  /**
   * For a socket that has just been registered, or was given another identity: ends it if that has ended meanwhile.
   *
   * @param since when the check of its token began, ms since the epoch
   */
  settle(socket: ChatSocket, since: number): void;
  /** To be called once the schema is there. */
  start(): void;
  stop(): void;
}

/**
 * Ends the sockets of this gateway whose session, token or user was ended, at whichever gateway.
 *
 * The truth is PostgreSQL alone. A word from a peer says no more than whom to look at, so that one that comes late, or
 * twice, ends nobody who has logged in again. When such words get lost (Redis is away) this gateway finds out by itself:
 * within a second while it sees that Redis is away, else within three.
 *
 * A socket that is connecting meanwhile is not registered yet. Therefore a user of whom something has ended is
 * remembered for a minute: its token was read before that, or it is checked again (`settle`).
 */
export function watchEndings(ctx: Context): Endings {
  const { db, sockets, redis, log } = ctx;
  /** When something of a user was said to have ended, ms since the epoch. */
  const heardAt = new Map<string, number>();
  /** Users whom PostgreSQL could not be asked about. */
  const unclear = new Set<string>();
  let since: Date | undefined;
  let lookedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  const lookSoon = (): void => {
    lookedAt = 0;
  };

  async function endingOfSocket({ data }: ChatSocket): Promise<'BANNED' | 'LOGGED_OUT' | undefined> {
    const { identity } = data;
    const bearer = await findBearer(db, { userId: identity.user.id, ...identity });
    const ending = endingOf(bearer, identity);
    if (ending !== undefined || identity.sessionId !== undefined || identity.issuedAt !== undefined) return ending;
    // A token that does not say when it was issued: what is known is that its socket was here before.
    const validAfter = bearer?.tokens_valid_after?.getTime() ?? 0;
    return data.since < validAfter ? 'LOGGED_OUT' : undefined;
  }

  async function checkUser(userId: string): Promise<void> {
    try {
      for (const socket of sockets.ofUser(userId)) {
        const ending = await endingOfSocket(socket);
        if (ending !== undefined) endSession(socket, ending, MESSAGES[ending]);
      }
      unclear.delete(userId);
    } catch (error) {
      unclear.add(userId); // PostgreSQL is away; the next look asks again
      log.warn({ err: error, userId }, 'whether a session has ended could not be asked');
    }
  }

  async function ended(userId: string): Promise<void> {
    heardAt.set(userId, Date.now());
    if (sockets.ofUser(userId).size > 0) await checkUser(userId);
    else unclear.delete(userId);
  }

  async function look(): Promise<void> {
    const everyMs = redis.isReady() ? LOOK_EVERY_MS : LOOK_EVERY_ALONE_MS;
    if (isLooking || Date.now() - lookedAt < everyMs) return;
    isLooking = true;
    lookedAt = Date.now();
    try {
      const { now, userIds } = await findEnded(db, since);
      since = new Date(now.getTime() - LOOK_BACK_MS);
      for (const userId of new Set([...userIds, ...unclear])) await ended(userId);
    } catch (error) {
      log.debug({ err: error }, 'PostgreSQL could not be asked for what has ended');
    } finally {
      isLooking = false;
    }
    const oldest = Date.now() - REMEMBERED_MS;
    for (const [userId, at] of heardAt) if (at < oldest) heardAt.delete(userId);
  }

  ctx.peers.on(ENDED, ({ userId }) => ended(userId));
  return {
    settle(socket, from) {
      const { id: userId } = socket.data.identity.user;
      if ((heardAt.get(userId) ?? 0) >= from) void checkUser(userId);
    },
    start() {
      redis.subscriber.on('ready', lookSoon);
      timer = setInterval(() => void look(), TICK_MS);
    },
    stop() {
      clearInterval(timer);
      redis.subscriber.off('ready', lookSoon);
    },
  };
}
