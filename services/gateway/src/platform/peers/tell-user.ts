import type { Broadcast, Payload } from '@parley/protocol';
import type { SocketRegistry } from '../sockets/registry.ts';
import { encodeEvent } from '../sockets/encode.ts';
import { tell } from '../sockets/tell.ts';
import { peerTopic, type Peers } from './peers.ts';

const TELL_USER = peerTopic<{ userId: string; event: string; payload: unknown }>('user:tell');

/** Lets other gateways tell this one's sockets. */
export function hearForUsers(peers: Peers, sockets: SocketRegistry): void {
  peers.on(TELL_USER, ({ userId, event, payload }) => {
    const ofUser = sockets.ofUser(userId);
    if (ofUser.size === 0) return;
    // The payload belongs to the event: `tellUser` is the only one that sends this.
    const encoded = encodeEvent({ name: event } as Broadcast, payload);
    for (const socket of ofUser) tell(socket, encoded);
  });
}

/**
 * Tells all devices of a user, whatever rooms they hear and at whichever gateway they are. It may be lost while Redis is
 * away, except for the sockets of this gateway.
 */
export function tellUser<B extends Broadcast>(
  { peers }: { peers: Peers },
  userId: string,
  event: B,
  payload: Payload<B>,
): void {
  peers.tellAll(TELL_USER, { userId, event: event.name, payload });
}
