import { z } from 'zod';
import { broadcast, command } from './define.ts';
import { ErrorBody } from './errors.ts';
import { DeviceId } from './ids.ts';
import { Time, User } from './objects.ts';
import { SessionEndingCode } from './session-endings.ts';
import { Token } from './text.ts';

/**
 * `auth` of the CONNECT packet. Clients of some languages can send only strings, so `echo` may be `"true"`. What is not
 * understood counts as absent: whether the connection is good is decided by the token alone.
 */
export const ConnectAuth = z
  .object({
    token: Token.optional().catch(undefined).describe('The JWT.'),
    echo: z
      .union([z.boolean(), z.string()])
      .default(false)
      .catch(false)
      .transform((echo) => echo === true || echo === 'true')
      .describe('`true` or `"true"`: this socket hears its own messages and changes too, in order.'),
    deviceId: DeviceId.optional().catch(undefined).describe('A name that the client gives this device.'),
  })
  .transform(({ token, echo, deviceId }) => ({ echo, ...(token && { token }), ...(deviceId && { deviceId }) }))
  .catch({ echo: false })
  .meta({ id: 'ConnectAuth' });
export type ConnectAuth = z.output<typeof ConnectAuth>;

/** `data` of a CONNECT_ERROR. */
export const ConnectError = z
  .object({
    ...ErrorBody.shape,
    code: z.enum(['UNAUTHORIZED', 'TOKEN_EXPIRED', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL']),
  })
  .meta({ id: 'ConnectError' });
export type ConnectError = z.output<typeof ConnectError>;

/** What a client has to keep to. Lengths in code points, sizes in bytes. */
export const SessionLimits = z
  .object({
    maxMessageLength: z.int().min(1).describe('Code points of a message, after NFC and trimming.'),
    historyMax: z.int().min(1).describe('The most messages of one `message:history`.'),
    catchupMax: z.int().min(1).describe('The most messages that `rooms:sync` brings for a room.'),
    maxFrameBytes: z.int().min(1).describe('The most bytes of one request.'),
  })
  .meta({ id: 'SessionLimits' });
export type SessionLimits = z.output<typeof SessionLimits>;

export const sessionRenew = command('session:renew', {
  summary: 'Extends the session with a newer token of the same user',
  description: "Another user's token is `FORBIDDEN`.",
  input: z.object({ token: Token }),
  output: z.object({ expiresAt: Time }),
});

export const sessionReadyEvent = broadcast('session:ready', {
  summary: 'The session has begun',
  payload: z.object({
    connectionId: z.string(),
    user: User,
    serverTime: Time,
    limits: SessionLimits,
    version: z.string().describe('The version of the server.'),
  }),
});

export const sessionExpiringEvent = broadcast('session:expiring', {
  summary: 'The token expires soon',
  description: 'Call `session:renew` with a newer one, or the session ends with `TOKEN_EXPIRED`.',
  payload: z.object({ inMs: z.int().min(0) }),
});

export const sessionEndedEvent = broadcast('session:ended', {
  summary: 'The server ends the session',
  payload: z.object({
    code: SessionEndingCode,
    message: z.string().describe('For people; may change at any time.'),
    reconnect: z.boolean(),
    afterMs: z.int().min(0).exactOptional().describe('Milliseconds to wait before connecting again.'),
  }),
});

export const requestErrorEvent = broadcast('request:error', {
  summary: 'A request without an acknowledgement failed',
  payload: z.object({ event: z.string().describe('The event that failed.'), ...ErrorBody.shape }),
});
