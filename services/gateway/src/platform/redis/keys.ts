/**
 * Every key and channel in Redis, in one list. All begin with the cluster's prefix (`REDIS_PREFIX`), so that several
 * can share a server. The part in braces is the hash tag: keys that one script touches have the same.
 */
export interface RedisKeys {
  /** Prefix of the Socket.IO adapter's channels. */
  readonly channels: string;
  /**
   * Sharded pub/sub: what was committed in a room, and signals. The number is that of its wire format: a gateway of another
   * one beside this one finds out by comparing heads.
   */
  channelOf(roomId: string): string;
  // Presence has no TTLs: what a gateway claims lasts until it takes it back, or until it is dead and others do.
  /** Hash: gateway id -> how many sockets of the user it has; 0 in the grace after the last. */
  connectionsOf(userId: string): string;
  /** Hash: user id -> ids of the gateways where the user hears the room. */
  hearersOf(roomId: string): string;
  /** Set: the members of the room who are online. */
  onlineIn(roomId: string): string;
  /** Set: the users that a gateway claims. */
  usersAt(gatewayId: string): string;
  /** Set: `roomId userId` of the hearers that a gateway claims. */
  hearersAt(gatewayId: string): string;
  /** String: others have taken this gateway for dead. TTL: a day. */
  sweptNote(gatewayId: string): string;
  /** Sorted set: gateway id -> its last beat (ms). Small: the dead are taken out. */
  readonly livingGateways: string;
  /** Sorted set: id of a gateway that has stopped -> when what it held ends (ms). */
  readonly leftGateways: string;
  /** Sharded pub/sub: what concerns all gateways. The number is that of its wire format, as for `channelOf`. */
  readonly peersChannel: string;
  /** Sharded pub/sub: what concerns one gateway. */
  peerChannel(gatewayId: string): string;
  /** Sorted set: user, gateway and name of who types -> when it ends (ms). TTL: `TYPING_TIMEOUT_MS`. */
  typingIn(roomId: string): string;
  /** Of a user, a sliding window (list) or the end of a mute (string, ms). TTL: the window, the mute. */
  rateOf(userId: string, name: string): string;
  /** List: a sliding window of an address or a user over REST. TTL: the window. */
  restRateOf(owner: string, name: string): string;
}

export function redisKeys(prefix: string): RedisKeys {
  return {
    channels: prefix,
    channelOf: (roomId) => `${prefix}:stream2:${roomId}`,
    connectionsOf: (userId) => `${prefix}:connections:${userId}`,
    hearersOf: (roomId) => `${prefix}:hearers:${roomId}`,
    onlineIn: (roomId) => `${prefix}:online:${roomId}`,
    usersAt: (gatewayId) => `${prefix}:gateway-users:${gatewayId}`,
    hearersAt: (gatewayId) => `${prefix}:gateway-hearers:${gatewayId}`,
    sweptNote: (gatewayId) => `${prefix}:gateway-swept:${gatewayId}`,
    livingGateways: `${prefix}:{gateways}:living`,
    leftGateways: `${prefix}:{gateways}:left`,
    peersChannel: `${prefix}:peers2`,
    peerChannel: (gatewayId) => `${prefix}:peer2:${gatewayId}`,
    typingIn: (roomId) => `${prefix}:typing:{${roomId}}`,
    rateOf: (userId, name) => `${prefix}:rate:{${userId}}:${name}`,
    restRateOf: (owner, name) => `${prefix}:rest:{${owner}}:${name}`,
  };
}
