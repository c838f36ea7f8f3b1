import type { ChatSocket } from '../../platform/sockets/types.ts';
import type { UserRow } from '../users/view.ts';

/** Somebody whose CONNECT is being checked. One of the two is to be called. */
export interface ExpectedUser {
  /** All rooms that it is a member of, read since it was expected. */
  isMemberOf(roomIds: readonly string[]): void;
  comesNot(): void;
}

/** Who is here, over all gateways. */
export interface Presence {
  /** A socket of a user may come: its rooms are about to be read with what decides on its token. */
  expect(userId: string): ExpectedUser;
  /**
   * Counts a new socket of a user.
   *
   * @returns false when the user has `MAX_CONNECTIONS_PER_USER` already, over all gateways. With Redis away this gateway's
   *   own sockets are counted instead.
   */
  admit(userId: string): Promise<boolean>;
  /** A socket was admitted and has joined: resolves when it counts wherever people are counted. */
  joined(userId: string): Promise<void>;
  /** A socket that was admitted is gone, or never joined. */
  left(userId: string, socket?: ChatSocket): void;
  /** Those of the users who are online. With Redis away: who is connected here. */
  onlineAmong(userIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Those of the users who are online and members of the room. With Redis away: who is connected here. */
  onlineIn(roomId: string, userIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** How many members of each room are online, in the order of the rooms. With Redis away: who is connected here. */
  countOnline(roomIds: readonly string[]): Promise<number[]>;
  /**
   * Whether somebody who is connected here is known to be a member of the room. A hint: a no may mean that it is not
   * known, and a yes may be old while Redis is away.
   */
  isMember(roomId: string, userId: string): boolean;
  /** Somebody who is about to hear a room was read for it: spares the roster to read it again. */
  seen(user: UserRow): void;
  /** Somebody became a member, or is one no more. After the commit. Never throws. */
  memberChanged(roomId: string, userId: string, isMember: boolean): Promise<void>;
  /** The status or the profile of a user changed. @param except the id of a socket that knows it */
  statusChanged(userId: string, except?: string): void;
  start(): void;
  stop(): Promise<void>;
}
