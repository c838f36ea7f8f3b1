import { z } from 'zod';

/**
 * What a client may do after an error.
 * - `never`: the same request fails again; change it, or give up.
 * - `newToken`: get a fresh token first.
 * - `after`: not carried out; the same request may work after `retryAfterMs` (`MUTED`: after `details.until`).
 * - `sameRequest`: send the very same request again, with the same `clientMsgId`, after `retryAfterMs` if given. A
 *   send that was stored after all is found by it and answered as a duplicate.
 */
export type Retry = 'never' | 'newToken' | 'after' | 'sameRequest';

interface ErrorMeaning {
  /** The HTTP status, or null for a code that REST never answers with. */
  readonly status: number | null;
  readonly meaning: string;
  readonly retry: Retry;
}

/** Every error code there is. */
export const errors = {
  VALIDATION_ERROR: {
    status: 400,
    meaning: 'The request has the wrong shape, type or range; `details` lists `{path, message}`.',
    retry: 'never',
  },
  MESSAGE_TOO_LONG: { status: 400, meaning: 'The content is over `MAX_MESSAGE_LENGTH`.', retry: 'never' },
  UNKNOWN_EVENT: { status: null, meaning: 'There is no such event.', retry: 'never' },
  UNAUTHORIZED: { status: 401, meaning: 'No credential, or one that is not accepted.', retry: 'newToken' },
  TOKEN_EXPIRED: { status: 401, meaning: 'The token was good and has expired.', retry: 'newToken' },
  FORBIDDEN: { status: 403, meaning: 'Known, but not allowed.', retry: 'never' },
  NOT_A_MEMBER: { status: 403, meaning: 'Only members of this room may do that.', retry: 'never' },
  NOT_FOUND: { status: 404, meaning: 'No such thing, or a private room that one may not know of.', retry: 'never' },
  CONFLICT: { status: 409, meaning: 'The name is taken, or the state does not allow it.', retry: 'never' },
  PAYLOAD_TOO_LARGE: { status: 413, meaning: 'The request is over `MAX_FRAME_BYTES`.', retry: 'never' },
  RATE_LIMITED: { status: 429, meaning: 'Too many requests; `retryAfterMs` says when to go on.', retry: 'after' },
  MUTED: { status: 429, meaning: 'Muted in this room until `details.until`.', retry: 'after' },
  UNAVAILABLE: {
    status: 503,
    meaning: 'A store is away; nothing was saved, or the retry with the same `clientMsgId` finds it.',
    retry: 'sameRequest',
  },
  INTERNAL: { status: 500, meaning: 'A fault of the server; `details.requestId` names it.', retry: 'sameRequest' },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errors;

export const errorCodes = Object.keys(errors) as [ErrorCode, ...ErrorCode[]];

export const ErrorCode = z.enum(errorCodes).meta({
  id: 'ErrorCode',
  description: 'What went wrong. Decide by the code, show the message.',
});

/** One thing that is wrong with a request. `path` is dotted (`rooms.0.roomId`), empty for the request as a whole. */
export const Issue = z.object({ path: z.string(), message: z.string() }).meta({ id: 'Issue' });
export type Issue = z.output<typeof Issue>;

/** The error of an answer. `retryAfterMs` is in milliseconds. */
export const ErrorBody = z
  .object({
    code: ErrorCode,
    message: z.string().describe('For people; may change at any time.'),
    details: z
      .union([z.array(Issue), z.record(z.string(), z.unknown())])
      .exactOptional()
      .describe('A list of issues with `VALIDATION_ERROR`; `{until}` with `MUTED`; `{requestId}` with `INTERNAL`.'),
    retryAfterMs: z.int().min(0).exactOptional().describe('Milliseconds to wait before the next attempt.'),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.output<typeof ErrorBody>;
export type ErrorDetails = NonNullable<ErrorBody['details']>;

/** The body of a REST error. */
export const ErrorAnswer = z.object({ error: ErrorBody }).meta({ id: 'ErrorAnswer' });
export type ErrorAnswer = z.output<typeof ErrorAnswer>;

/** The acknowledgement of every command. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody };

/** The schema of an acknowledgement whose `data` is `data`. */
export function ackOf<T extends z.ZodType>(data: T) {
  return z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), data }),
    z.object({ ok: z.literal(false), error: ErrorBody }),
  ]);
}

const MAX_ISSUES = 20;
const MAX_MESSAGE = 200;

/**
 * The `details` of a `VALIDATION_ERROR`: at most 20 issues, with short messages that name types, fields and bounds but
 * never repeat what was sent.
 */
export function issuesOf(error: z.ZodError): Issue[] {
  return error.issues.slice(0, MAX_ISSUES).map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message.length > MAX_MESSAGE ? `${issue.message.slice(0, MAX_MESSAGE - 1)}…` : issue.message,
  }));
}
