/**
 * What a cluster needs for a load, reckoned from what single things cost. The unit costs are measured (docs/scaling.md
 * says how, and how far the model is off); the rest is counting.
 */

/** A crowd and what it does. */
export interface Load {
  /** Sockets that are connected and hear their rooms. */
  connections: number;
  /** Sockets that hear a message, its sender's included. */
  roomSize: number;
  /** Messages of one socket in a second. */
  sendsPerSocket: number;
  /** Handshakes with a join, in a second. */
  connectsPerSecond: number;
}

/** CPU microseconds of each part for one thing, on the machine that was measured. */
export interface UnitCosts {
  gateway: {
    /** A message from its sender's socket to the commit, and the answer. */
    send: number;
    /** A message that comes to a gateway where its room is heard. */
    heard: number;
    /** A write to a socket, with all events that it holds. */
    write: number;
    connect: number;
    /** A second of a socket that does nothing. */
    idleSecond: number;
  };
  haproxy: { write: number; send: number; connect: number; idleSecond: number };
  redis: { publish: number; copy: number; connect: number };
  postgres: { message: number; connect: number };
  /** Resident bytes. */
  memory: { emptyGateway: number; connection: number };
}

/** For how long a busy gateway gathered what sockets are told when the costs were measured, seconds. It is 24 ms now. */
const WINDOW_SECONDS = 0.03;
/** The part of a core, of Redis and of PostgreSQL that is planned with: the rest is for bursts, and for a gateway's death. */
export const PLANNED_SHARE = 0.6;
/** The most connections of a gateway, whatever it could carry: as many have to move when it ends. */
const MAX_CONNECTIONS_OF_GATEWAY = 20_000;

/** CPU seconds of each part in a second. */
export interface Cpu {
  gateways: number;
  haproxy: number;
  redis: number;
  postgres: number;
}

export interface Needs {
  sendsPerSecond: number;
  deliveriesPerSecond: number;
  /** Gateways, of one core each. */
  gateways: number;
  /** On how many gateways a message is heard. */
  heardOn: number;
  /** Cores that HAProxy needs, all processes together. */
  haproxyCores: number;
  /** Redis processes; more than one: a cluster with sharded pub/sub. */
  redisShards: number;
  /** Cores of the PostgreSQL that takes the writes. */
  postgresCores: number;
  /** Resident bytes of all gateways. */
  gatewayBytes: number;
  /** File descriptors of all HAProxy processes. */
  haproxyDescriptors: number;
}

/** Events in a write, at so many events a second for a socket that a busy gateway tells (arrivals by chance). */
export function deliveriesPerWrite(perSecond: number): number {
  const inWindow = perSecond * WINDOW_SECONDS;
  return inWindow < 1e-6 ? 1 : inWindow / (1 - Math.exp(-inWindow));
}

/** On how many of the gateways a message is heard whose room's sockets are spread over them by chance. */
export function gatewaysHearing(gateways: number, roomSize: number): number {
  return gateways * (1 - (1 - 1 / gateways) ** roomSize);
}

/** What a load costs a cluster of so many gateways. */
export function cpuOf(load: Load, gateways: number, costs: UnitCosts): Cpu {
  const { connections, roomSize, sendsPerSocket, connectsPerSecond } = load;
  const sends = connections * sendsPerSocket;
  const deliveries = sends * roomSize;
  const heard = sends * gatewaysHearing(gateways, roomSize);
  const writes = deliveries / deliveriesPerWrite(deliveries / Math.max(1, connections));
  const { gateway, haproxy, redis, postgres } = costs;
  const micros = {
    gateways:
      sends * gateway.send +
      heard * gateway.heard +
      writes * gateway.write +
      connectsPerSecond * gateway.connect +
      connections * gateway.idleSecond,
    haproxy:
      writes * haproxy.write +
      sends * haproxy.send +
      connectsPerSecond * haproxy.connect +
      connections * haproxy.idleSecond,
    redis: sends * redis.publish + heard * redis.copy + connectsPerSecond * redis.connect,
    postgres: sends * postgres.message + connectsPerSecond * postgres.connect,
  };
  return {
    gateways: micros.gateways / 1e6,
    haproxy: micros.haproxy / 1e6,
    redis: micros.redis / 1e6,
    postgres: micros.postgres / 1e6,
  };
}

/** The smallest cluster in which nothing has more to do than the planned share. */
export function needsOf(load: Load, costs: UnitCosts): Needs {
  const gateways = gatewaysFor(load, costs);
  const cpu = cpuOf(load, gateways, costs);
  const sendsPerSecond = load.connections * load.sendsPerSocket;
  return {
    sendsPerSecond,
    deliveriesPerSecond: sendsPerSecond * load.roomSize,
    gateways,
    heardOn: gatewaysHearing(gateways, load.roomSize),
    haproxyCores: cpu.haproxy / PLANNED_SHARE,
    redisShards: Math.max(1, Math.ceil(cpu.redis / PLANNED_SHARE)),
    postgresCores: cpu.postgres / PLANNED_SHARE,
    gatewayBytes: gateways * costs.memory.emptyGateway + load.connections * costs.memory.connection,
    haproxyDescriptors: 2 * load.connections,
  };
}

/** More gateways make every message be heard on more of them, so the number is sought, not divided. */
function gatewaysFor(load: Load, costs: UnitCosts): number {
  let gateways = Math.max(1, Math.ceil(load.connections / MAX_CONNECTIONS_OF_GATEWAY));
  while (cpuOf(load, gateways, costs).gateways > gateways * PLANNED_SHARE) gateways += 1;
  return gateways;
}
