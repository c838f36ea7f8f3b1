import { durationSetting, limits, type LimitName, type LimitValues } from '@parley/protocol';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';

const text = z.string().trim().min(1);
const optionalText = z.preprocess((value) => (value === '' ? undefined : value), text.optional());
const number = (byDefault: number, min = 0, max = 2_147_483_647) =>
  z.preprocess((value) => (value === '' || value === undefined ? byDefault : Number(value)), z.int().min(min).max(max));
const port = (byDefault: number) => number(byDefault, 0, 65_535);
const flag = (byDefault: boolean) =>
  z.preprocess(
    (value) => (value === '' || value === undefined ? String(byDefault) : value),
    z.enum(['true', 'false']).transform((value) => value === 'true'),
  );
const list = z
  .string()
  .default('')
  .transform((value) => value.split(',').flatMap((item) => item.trim() || []));
/** One of some words, the first by default. */
const choice = <const T extends readonly [string, ...string[]]>(...words: T) =>
  z.preprocess((value) => (value === '' || value === undefined ? words[0] : value), z.enum(words));
const url = (...protocols: string[]) =>
  z
    .string({ error: 'must be set' })
    .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
      error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    });
/** What is set to nothing is not set. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
const optionalUrl = (...protocols: string[]) => optional(url(...protocols));

/** 100 years. */
const LONGEST_TTL_MS = 100 * 365 * 86_400_000;

/** Everything the environment can say besides the limits of the protocol package. */
const settings = z.object({
  /** Where the gateway listens for the proxy. Port 0 takes a free one. */
  HOST: text.default('0.0.0.0'),
  PORT: port(3000),
  /** Of an abstract Unix socket (Linux) where it listens as well, for a proxy on the same machine. */
  LOCAL_SOCKET: optional(
    z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'must be 1 to 100 letters, digits, "_", ".", ":" or "-"'),
  ),
  METRICS_HOST: text.default('127.0.0.1'),
  METRICS_PORT: port(9100),
  /** The replica's name in logs, and in session ids when no proxy names it. */
  GATEWAY_NAME: optionalText,
  DATABASE_URL: url('postgres:', 'postgresql:'),
  /** PostgreSQL connections of this gateway. */
  DATABASE_POOL_MAX: number(10, 1, 1_000),
  DATABASE_STATEMENT_TIMEOUT_MS: number(5_000, 1),
  DATABASE_CONNECT_TIMEOUT_MS: number(3_000, 1),
  /** `false` for poolers that can't keep prepared statements. */
  DATABASE_PREPARED: flag(true),
  REDIS_URL: url('redis:', 'rediss:'),
  /** Begins every key and channel, so that clusters can share a Redis. */
  REDIS_PREFIX: text
    .regex(/^[A-Za-z0-9_.-]{1,40}$/, 'must be 1 to 40 letters, digits, "_", "." or "-"')
    .default('parley'),
  /** Signs and verifies HS256 tokens. */
  JWT_SECRET: z
    .string({ error: 'must be set: at least 32 random bytes, for example from `openssl rand -base64 48`' })
    .refine((value) => Buffer.byteLength(value) >= 32, 'must have at least 32 bytes'),
  /** Verifies the tokens of an application: a PEM public key, or where its key set is. */
  JWT_PUBLIC_KEY: optionalText,
  JWKS_URL: optionalUrl('https:', 'http:'),
  JWT_AUDIENCE: optionalText,
  JWT_ISSUER: optionalText,
  REQUIRE_UPGRADE_AUTH: flag(false),
  /** Answers a request for a one-time code with the code: for trying out only, since it lets everybody in. */
  AUTH_CODE_ECHO: flag(false),
  /** Who brings one-time codes to people: the log, or a mail server. */
  CODE_SENDER: z.preprocess((value) => (value === '' ? undefined : value), z.enum(['log', 'smtp']).default('log')),
  SMTP_URL: optionalUrl('smtp:', 'smtps:'),
  SMTP_FROM: optionalText,
  /** Origins of other sites that may use this server; `*` for all. The own origin is always allowed. */
  ALLOWED_ORIGINS: list,
  /** Proxies whose X-Forwarded-* headers are believed: addresses, ranges, or loopback, linklocal, uniquelocal. */
  TRUSTED_PROXIES: list,
  // A client that dies in silence is noticed after both at the latest. With the grace and a second to tell it that has to
  // stay under the 30 s of the contract (7.7), so 25 + 20 s, which are usual, would be too long.
  PING_INTERVAL_MS: number(12_000, 100),
  PING_TIMEOUT_MS: number(10_000, 100),
  /** HTML in messages: stored as written, taken out, or refused. */
  HTML_POLICY: choice('keep', 'strip', 'reject'),
  /** What happens to messages with the words of the deployment's list; rooms can have lists of their own. */
  WORD_FILTER: choice('off', 'mask', 'reject'),
  WORD_FILTER_WORDS: list,
  /** A file with one word or phrase a line; lines that begin with # are comments. */
  WORD_FILTER_FILE: optionalText,
  /** How often leftovers are removed, by one replica at a time. */
  CLEANUP_EVERY: durationSetting('60s'),
  /** How long a room without members and messages stays. */
  ROOM_EMPTY_TTL: durationSetting('24h', LONGEST_TTL_MS),
  /** How long the record of who did what in a room stays, and resolved reports. */
  AUDIT_TTL: durationSetting('2160h', LONGEST_TTL_MS),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

type Settings = z.output<typeof settings>;

/** The configuration of one gateway: checked, complete, frozen. */
export interface Config extends Readonly<Omit<Settings, 'GATEWAY_NAME'>> {
  readonly GATEWAY_NAME: string;
  readonly limits: LimitValues;
}

/** What is wrong with the environment, all at once. Holds names and rules, never values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** @throws ConfigError that names every variable that can't be used */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const parsed = settings.safeParse(environment);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const missing = issue.code === 'invalid_type' && environment[String(issue.path[0])] === undefined;
      const isSecret = issue.path[0] === 'JWT_SECRET';
      problems.push(`${issue.path.join('.')} ${missing && !isSecret ? 'must be set' : issue.message}`);
    }
  }
  if (parsed.data?.CODE_SENDER === 'smtp') {
    for (const name of ['SMTP_URL', 'SMTP_FROM'] as const) {
      if (parsed.data[name] === undefined) problems.push(`${name} must be set when CODE_SENDER is "smtp"`);
    }
  }
  const limitValues: Partial<Record<LimitName, unknown>> = {};
  for (const [name, { schema }] of Object.entries(limits)) {
    const value = schema.safeParse(environment[name]);
    if (value.success) limitValues[name as LimitName] = value.data;
    else problems.push(`${name} ${value.error.issues[0]?.message}`);
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  const { GATEWAY_NAME = `${hostname()}-${randomUUID().slice(0, 4)}`, ...rest } = parsed.data;
  return Object.freeze({ ...rest, GATEWAY_NAME, limits: Object.freeze(limitValues as LimitValues) });
}
