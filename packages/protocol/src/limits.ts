import { z } from 'zod';

/** At most `limit` in any `windowMs` milliseconds. */
export interface Rate {
  readonly limit: number;
  readonly windowMs: number;
}

/** What Node's timers can hold, a little under 25 days. */
const LONGEST_MS = 2_147_483_647;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function parseDuration(value: string, maxMs = LONGEST_MS): number | undefined {
  const [, amount, unit] = /^(\d{1,10})(ms|s|m|h)$/.exec(value) ?? [];
  if (amount === undefined) return undefined;
  const ms = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return ms >= 1 && ms <= maxMs ? ms : undefined;
}

function parseRate(value: string): Rate | undefined {
  const [, limit, window] = /^(\d{1,9})\/(\w+)$/.exec(value) ?? [];
  const windowMs = window === undefined ? undefined : parseDuration(window);
  return windowMs === undefined || Number(limit) < 1 ? undefined : { limit: Number(limit), windowMs };
}

function parseInteger(value: string, min: number, max: number): number | undefined {
  if (!/^\d{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return number >= min && number <= max ? number : undefined;
}

/** Reads a text of the environment. White space around it is ignored, unset and empty are the default. */
function setting<T>(byDefault: string, parse: (value: string) => T | undefined, rule: string) {
  return z
    .string()
    .optional()
    .transform((value, context): T => {
      const parsed = parse(value?.trim() || byDefault);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: `must be ${rule}` });
      return z.NEVER;
    });
}

const orOff =
  <T>(parse: (value: string) => T | undefined) =>
  (value: string): T | null | undefined =>
    value.toLowerCase() === 'off' ? null : parse(value);

/** A rate such as `10/5s`, or null for `off`. Units: ms, s, m, h. */
export function rateSetting(byDefault: string) {
  return setting(byDefault, orOff(parseRate), 'a rate such as "10/5s", or "off"');
}

/**
 * A duration such as `30s` in milliseconds, or null for `off`. Units: ms, s, m, h.
 *
 * @param maxMs default: what a timer can hold, a little under 25 days
 */
export function durationSetting(byDefault: string, maxMs = LONGEST_MS) {
  return setting(
    byDefault,
    orOff((value) => parseDuration(value, maxMs)),
    'a duration such as "30s", or "off"',
  );
}

interface Bounds {
  /** Default 1. */
  readonly min?: number;
  /** Default the largest safe integer. */
  readonly max?: number;
}

/** A whole number. */
export function integerSetting(byDefault: number, { min = 1, max = Number.MAX_SAFE_INTEGER }: Bounds = {}) {
  return setting(String(byDefault), (value) => parseInteger(value, min, max), `a whole number from ${min} to ${max}`);
}

/** A whole number, or null for `off`. */
export function integerOrOffSetting(byDefault: number, { min = 1, max = Number.MAX_SAFE_INTEGER }: Bounds = {}) {
  return setting(
    String(byDefault),
    orOff((value) => parseInteger(value, min, max)),
    `a whole number from ${min} to ${max}, or "off"`,
  );
}

interface Limit {
  /** What counts when it is not set, as the environment would write it. */
  readonly default: string;
  /** What the value counts; a rate also says over what. */
  readonly unit: string;
  readonly meaning: string;
  /** Reads the text of the environment; `undefined` gives the default. */
  readonly schema: z.ZodType<unknown, string | undefined>;
}

function rate(byDefault: string, unit: string, meaning: string) {
  return { default: byDefault, unit, meaning, schema: rateSetting(byDefault) };
}

function integer(byDefault: number, unit: string, meaning: string, bounds?: Bounds) {
  return { default: String(byDefault), unit, meaning, schema: integerSetting(byDefault, bounds) };
}

function integerOrOff(byDefault: number, unit: string, meaning: string, bounds?: Bounds) {
  return { default: String(byDefault), unit, meaning, schema: integerOrOffSetting(byDefault, bounds) };
}

const timer = { min: 0, max: LONGEST_MS };

/** Every limit that the environment sets, by the name that it has there. */
export const limits = {
  MAX_CONNECTIONS: integerOrOff(20_000, 'sockets', 'Sockets of one gateway; more are HTTP 503.'),
  MAX_CONNECTIONS_PER_USER: integerOrOff(
    20,
    'sockets',
    'Sockets of one user over all replicas; the newest is refused.',
  ),
  MAX_PENDING_PER_ADDRESS: integerOrOff(
    1000,
    'transports',
    'Transports of one address at one gateway that have not connected yet; more are HTTP 429.',
  ),
  CONNECT_TIMEOUT_MS: integer(5000, 'ms', 'A valid CONNECT must follow the opening of a transport within this time.', {
    max: LONGEST_MS,
  }),
  DRAIN_MS: integer(
    10_000,
    'ms',
    'The sockets of a stopping gateway are told and closed spread over this time.',
    timer,
  ),
  ROSTER_DETAIL_MAX: integer(
    200,
    'users',
    'In rooms with more online users, coming and going is coalesced and at most 50 users are named.',
    { min: 0 },
  ),
  TYPING_TIMEOUT_MS: integer(3000, 'ms', 'Typing stops by itself after this time.', { max: LONGEST_MS }),
  PRESENCE_GRACE_MS: integer(3000, 'ms', 'Somebody who is back within this time was never away.', timer),
  CATCHUP_MAX: integer(200, 'messages', 'What `rooms:sync` brings for a room; beyond it is `truncated`.', {
    max: 10_000,
  }),
  HISTORY_MAX: integer(100, 'messages', 'The largest page of `message:history`.', { max: 100 }),
  MAX_MESSAGE_LENGTH: integerOrOff(10_000, 'code points', 'The length of a message after NFC and trimming.'),
  MAX_FRAME_BYTES: integerOrOff(1_000_000, 'bytes', 'The size of one request.', { min: 1024 }),
  RATE_MESSAGES_ROOM: rate('10/5s', 'messages', 'Sends of one user to one room.'),
  RATE_MESSAGES_USER: rate('20/1s', 'messages', 'Sends of one user to all rooms.'),
  MUTE_AFTER: rate('3/60s', 'refusals', 'So many refused sends of one user in one room mute the user there.'),
  MUTE_FOR: {
    default: '30s',
    unit: 'duration',
    meaning: 'How long `MUTE_AFTER` mutes.',
    schema: durationSetting('30s'),
  },
  RATE_ABUSE: rate('100/10s', 'refusals', 'So many refusals of one user end the session with `RATE_ABUSE`.'),
  RATE_TYPING: rate('1/1s', 'events', '`typing:start` of one user in one room; more is answered and not passed on.'),
  RATE_JOIN: rate('20/10s', 'requests', 'Joins of one user.'),
  RATE_ROOM_CREATE: rate('10/1h', 'rooms', 'Rooms that one user makes.'),
  RATE_AUTH: rate('10/10m', 'requests', 'Attempts of one address to log in, register, or use a code.'),
  RATE_REST: rate('600/10s', 'requests', 'REST requests of one user, or of one address that names no user.'),
  RATE_CONNECT: rate('2000/10s', 'transports', 'New transports of one address, refused by HAProxy with HTTP 429.'),
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limits;

/** The values of all limits: numbers, rates, and null for what is off. */
export type LimitValues = { readonly [Name in LimitName]: z.output<(typeof limits)[Name]['schema']> };
