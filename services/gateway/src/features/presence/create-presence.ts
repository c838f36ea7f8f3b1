import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';
import type { Config } from '../../config.ts';
import type { Fanout } from '../../platform/fanout.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { peerTopic, type Peers } from '../../platform/peers/peers.ts';
import { roomTopic, type RoomSignals } from '../../platform/peers/room-signals.ts';
import type { RedisClients } from '../../platform/redis/clients.ts';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import type { SocketRegistry } from '../../platform/sockets/registry.ts';
import type { UserRow } from '../users/view.ts';
import { isAway } from './away.ts';
import { Claims } from './claims.ts';
import { Connections } from './connections.ts';
import { Hearers } from './hearers.ts';
import { Latest } from './latest.ts';
import { Memberships } from './memberships.ts';
import { News } from './news.ts';
import { Pace } from './pace.ts';
import type { Presence } from './presence.ts';
import { noteOffline, noteOnline, roomsOfUsers, toldOnline, usersById } from './presence.sql.ts';
import { RosterEvents } from './roster-events.ts';
import { Roster, type RosterChange } from './roster.ts';
import { Transitions, type NewsBatch } from './transitions.ts';
import { Upkeep } from './upkeep.ts';

const NEWS = peerTopic<NewsBatch>('presence:news');
const ROSTER = roomTopic<RosterChange>('presence:roster');
const MEMBER = peerTopic<{ roomId: string; userId: string; isMember: boolean }>('presence:member');
const SWEPT = peerTopic<Record<string, never>>('presence:swept');

/** For so long a row may stand for a user who comes to hear a room, ms. */
const SEEN_MS = 1_000;
/** After Redis has returned, so long until all gateways listen again, ms: what is told before may not be heard. */
const RETURN_MS = 1_500;

export interface PresenceOptions {
  config: Config;
  db: Kysely<Database>;
  redis: RedisClients;
  keys: RedisKeys;
  log: Log;
  metrics: Metrics;
  peers: Peers;
  sockets: SocketRegistry;
  fanout: Fanout;
  signals: RoomSignals;
}

/**
 * Puts presence together. `Connections` and `Hearers` know what is so here and claim it in Redis; `Transitions` and
 * `Roster` tell all gateways what follows from a claim; `News` and `RosterEvents` tell the sockets of this one; `Upkeep`
 * repairs what deaths and losses leave behind.
 */
export function createPresence(options: PresenceOptions): Presence {
  const { db, redis, keys, log, metrics, peers, sockets, fanout, signals } = options;
  const {
    PRESENCE_GRACE_MS: graceMs,
    MAX_CONNECTIONS_PER_USER: most,
    ROSTER_DETAIL_MAX: detailMax,
  } = options.config.limits;
  const gatewayId = peers.id;
  const claims = new Claims(redis, keys);
  const onError = (error: unknown): void => {
    if (isAway(error)) log.debug({ err: error }, 'presence waits for a store');
    else log.error({ err: error }, 'presence could not be brought up to date');
  };

  let heardFrom = 0;
  const whenHeard = (act: () => void): void => {
    const waitMs = heardFrom - Date.now();
    if (waitMs > 0) setTimeout(act, waitMs).unref();
    else act();
  };

  const memberships = new Memberships({ read: (userIds) => roomsOfUsers(db, userIds), onError });
  const transitions = new Transitions({
    claims,
    gatewayId,
    onlineOf,
    note: async (online, offline) => [...(await noteOnline(db, online)), ...(await noteOffline(db, offline))],
    tellAll: (batch) => whenHeard(() => peers.tellAll(NEWS, batch)),
    onError,
  });
  const connections = new Connections({
    claims,
    gatewayId,
    graceMs,
    most,
    onChange: (userId) => transitions.touch(userId),
    onGone: (userId) => memberships.drop(userId),
    onError,
  });
  const seen = new Latest<UserRow>();
  const roster = new Roster({
    claims,
    gatewayId,
    settled: () => transitions.attempted(),
    onlineOf,
    takeSeen: (userId) => {
      const row = seen.get(userId);
      seen.delete(userId);
      return row && Date.now() - row.version < SEEN_MS ? row.value : undefined;
    },
    usersById: (userIds) => usersById(db, userIds),
    tell: (roomId, change) => whenHeard(() => signals.send(roomId, ROSTER, change)),
    onError,
  });
  const hearers = new Hearers({
    claims,
    gatewayId,
    graceMs,
    onCame: (hearer, version) => roster.came(hearer, version),
    onWent: (hearer, version) => roster.went(hearer, version),
    onError,
  });
  const pace = new Pace();
  const news = new News({
    sockets,
    usersIn: (roomId) => memberships.usersIn(roomId),
    detailMax,
    pace,
    count: (told) => metrics.presenceTold.inc({ event: 'presence:changed' }, told),
  });
  const rosterEvents = new RosterEvents({
    hearersIn: (roomId) => hearers.in(roomId),
    hearerCount: (roomId) => hearers.countIn(roomId),
    detailMax,
    pace,
    count: (told) => metrics.presenceTold.inc({ event: 'roster' }, told),
  });
  const upkeep = new Upkeep({
    gatewayId,
    registry: peers.registry,
    claims,
    connections,
    hearers,
    memberships,
    transitions,
    roster,
    toldOnline: (after, limit) => toldOnline(db, after, limit),
    tellSwept: (id) => peers.tell([id], SWEPT, {}),
    onError,
  });
  let isStopped = false;
  const claimAnew = (): void => {
    if (!isStopped) void upkeep.claimAnew();
  };

  peers.on(NEWS, (batch) => news.receive(withoutOurs(batch)));
  signals.on(ROSTER, receiveRoster);
  signals.onClosed((roomId) => rosterEvents.closed(roomId));
  peers.on(MEMBER, async ({ roomId, userId, isMember }) => {
    memberships.note(roomId, userId, isMember);
    if (isMember || !connections.has(userId)) return;
    // The user may be on the way into the room's set at this moment, by what was read before.
    await transitions.attempted();
    if (!memberships.roomsOf(userId).has(roomId)) await claims.setOnlineIn(roomId, [], [userId]).catch(onError);
  });
  peers.on(SWEPT, claimAnew);
  peers.registry.onForgotten(claimAnew);
  fanout.watch(hearers);
  metrics.gauge('parley_users_here', 'Users with a socket here, or in the grace after it', () => connections.size);

  /** Another gateway can take a user for offline who is connected here: it is told better, our sockets nothing. */
  function withoutOurs(batch: NewsBatch): NewsBatch {
    if (batch.from === gatewayId) return batch;
    const isWrong = (id: string, status: string): boolean => status === 'offline' && connections.isConnected(id);
    return {
      ...batch,
      news: batch.news.filter(({ presence: { id, status } }) => {
        if (!isWrong(id, status)) return true;
        void connections.claimAnew(id).then(() => transitions.touch(id, { isNews: true, tellOwn: false }));
        return false;
      }),
    };
  }

  function receiveRoster(roomId: string, change: RosterChange): void {
    const left = change.left.filter(({ user: { id } }) => {
      if (change.from === gatewayId || hearers.of(roomId, id).size === 0) return true;
      hearers.insist(roomId, id);
      return false;
    });
    rosterEvents.receive(roomId, { ...change, left });
  }

  /**
   * Who is connected here has our claim, or will have it as soon as Redis is back: only the others are asked about. When
   * our claim goes, what follows from it is brought up to date behind all that was sent to Redis before.
   */
  async function onlineOf(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const elsewhere = userIds.filter((userId) => !connections.isConnected(userId));
    const online = elsewhere.length > 0 ? await claims.onlineOf(elsewhere) : new Set<string>();
    for (const userId of userIds) if (connections.isConnected(userId)) online.add(userId);
    return online;
  }

  /** As in `Transitions`: read, apply, read again, so that whoever writes last has seen the state that stays. */
  async function countMember(roomId: string, userId: string): Promise<void> {
    let isOnline = (await onlineOf([userId])).has(userId);
    for (;;) {
      await claims.setOnlineIn(roomId, isOnline ? [userId] : [], isOnline ? [] : [userId]);
      const isOnlineNow = (await onlineOf([userId])).has(userId);
      if (isOnlineNow === isOnline) return;
      isOnline = isOnlineNow;
    }
  }

  const onRedisReady = (): void => {
    heardFrom = Date.now() + RETURN_MS;
    for (const part of [connections, hearers, transitions, roster]) part.retry();
    claimAnew();
  };

  const hereAmong = (userIds: readonly string[]): Set<string> =>
    new Set(userIds.filter((userId) => connections.isConnected(userId)));

  return {
    expect(userId) {
      const isMemberOf = memberships.expect(userId);
      return {
        isMemberOf,
        comesNot: () => {
          if (!connections.has(userId)) memberships.drop(userId);
        },
      };
    },
    admit: (userId) => connections.admit(userId),
    async joined(userId) {
      await Promise.all([memberships.hold(userId), transitions.attempted()]);
    },
    left(userId, socket) {
      connections.left(userId);
      if (socket) hearers.left(socket);
    },
    onlineAmong: (userIds) => onlineOf(userIds).catch(() => hereAmong(userIds)),
    onlineIn: (roomId, userIds) => claims.onlineIn(roomId, userIds).catch(() => hereAmong(userIds)),
    countOnline: (roomIds) =>
      claims.countsOf(roomIds).catch(() => roomIds.map((roomId) => hereAmong([...memberships.usersIn(roomId)]).size)),
    isMember: (roomId, userId) => memberships.roomsOf(userId).has(roomId),
    seen: (user) => seen.set(user.id, Date.now(), user),
    async memberChanged(roomId, userId, isMember) {
      peers.tellAll(MEMBER, { roomId, userId, isMember });
      try {
        if (isMember) await countMember(roomId, userId);
        else await claims.setOnlineIn(roomId, [], [userId]);
      } catch (error) {
        onError(error);
        if (isMember) void transitions.touch(userId); // counts the user in all rooms, once Redis is back
      }
    },
    statusChanged: (userId, except) => void transitions.touch(userId, { isNews: true, tellOwn: true, except }),
    start() {
      redis.commands.on('ready', onRedisReady);
      upkeep.start();
    },
    async stop() {
      isStopped = true;
      redis.commands.off('ready', onRedisReady);
      await upkeep.stop();
      await connections.stop();
      await hearers.stop();
      await Promise.all([transitions.stop(), memberships.stop()]);
      await roster.stop();
      pace.stop();
      news.stop();
      rosterEvents.stop();
      // Users in their grace stay claimed: whoever is not back by then is taken back by the others.
      await peers.registry.leave(graceMs);
    },
  };
}
