import { z } from 'zod';

interface SessionEnding {
  /**
   * True: the server closes the transport without a DISCONNECT packet, so that clients come back by themselves.
   * False: it sends DISCONNECT first, so that they do not.
   */
  readonly reconnect: boolean;
  readonly meaning: string;
  readonly client: string;
}

/** Why the server ends a session, and whether a client comes back. */
export const sessionEndings = {
  TOKEN_EXPIRED: {
    reconnect: false,
    meaning: 'The token reached its `exp` and was not renewed.',
    client: 'Connect again with a new token, not with this one.',
  },
  LOGGED_OUT: {
    reconnect: false,
    meaning: 'The user logged out, or the password was changed.',
    client: 'Do not connect with this token.',
  },
  BANNED: {
    reconnect: false,
    meaning: 'An operator banned the user.',
    client: 'Do not connect with this token.',
  },
  RATE_ABUSE: {
    reconnect: false,
    meaning: 'The user went on after too many refusals.',
    client: 'Connect again after `afterMs`, not before.',
  },
  SLOW_CONSUMER: {
    reconnect: true,
    meaning: 'The client read too slowly for what it hears.',
    client: 'Reconnect and call `rooms:sync`.',
  },
  SERVER_DRAIN: {
    reconnect: true,
    meaning: 'This replica is stopping; its sockets are told and closed one after another.',
    client: 'Reconnect, after `afterMs` if it can choose, and call `rooms:sync`.',
  },
} as const satisfies Record<string, SessionEnding>;

export type SessionEndingCode = keyof typeof sessionEndings;

export const sessionEndingCodes = Object.keys(sessionEndings) as [SessionEndingCode, ...SessionEndingCode[]];

export const SessionEndingCode = z.enum(sessionEndingCodes).meta({ id: 'SessionEndingCode' });
