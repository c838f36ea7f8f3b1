import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import { authCode, authCodeVerify, authLogin, authRegister, type Endpoint, type Rate } from '@parley/protocol';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { ChatError } from '../errors.ts';
import { Limiter, type LimitParts } from '../rate-limit/limiter.ts';
import type { RedisKeys } from '../redis/keys.ts';

/** What is counted by `RATE_AUTH`, whatever comes of it. */
const ATTEMPTS: ReadonlySet<Endpoint> = new Set<Endpoint>([authRegister, authLogin, authCode, authCodeVerify]);

/** Nothing is told of a window until it is full. `Retry-After` then comes with every error of that code. */
const NO_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
  'retry-after': false,
};

export interface RestRates {
  /** What the route of an endpoint is mounted with. */
  configOf(endpoint: Endpoint): FastifyContextConfig;
  /**
   * Counts a request.
   *
   * @param userId who asks; absent: the address does
   * @throws ChatError `RATE_LIMITED`
   */
  require(request: FastifyRequest, userId?: string): Promise<void>;
}

export interface RestRatesOptions {
  parts: LimitParts;
  keys: RedisKeys;
  /** Attempts of an address to log in. */
  auth: Rate | null;
  /** All requests of a user, or of an address without one. */
  rest: Rate | null;
}

/**
 * The rates of REST, by @fastify/rate-limit on top of our sliding windows: its own stores count fixed ones, of which two
 * in a row let twice as much pass, and stop counting while Redis is away. An address is the one that is believed
 * (`TRUSTED_PROXIES`), of IPv6 the /64 that one customer has.
 */
export async function mountRestRates(
  app: FastifyInstance,
  { parts, keys, auth, rest }: RestRatesOptions,
): Promise<RestRates> {
  const limiterOf = (name: string, rate: Rate | null) =>
    rate && new Limiter({ ...parts, name, rate, keyOf: (owner, window) => keys.restRateOf(owner, window) });
  const limiters = { auth: limiterOf('auth', auth), rest: limiterOf('rest', rest) };

  /** Keys are `<limiter> <owner>`. */
  class SlidingStore {
    child(): SlidingStore {
      return this;
    }

    incr(
      key: string,
      answer: (error: Error | null, result?: { current: number; ttl: number }) => void,
      _windowMs: number,
      max: number,
    ): void {
      const space = key.indexOf(' ');
      const limiter = limiters[key.slice(0, space) as keyof typeof limiters];
      void (limiter?.take(key.slice(space + 1)) ?? Promise.resolve(undefined)).then(
        (taken) => {
          if (taken?.passed === false) answer(null, { current: max + 1, ttl: taken.waitMs });
          else answer(null, { current: 0, ttl: 0 });
        },
        (error: unknown) => answer(error as Error),
      );
    }
  }

  await app.register(rateLimit, {
    global: false,
    store: SlidingStore,
    addHeaders: NO_HEADERS,
    addHeadersOnExceeding: NO_HEADERS,
    errorResponseBuilder: (_request, { ttl }) => refusal('Too many attempts from this address', ttl),
  });
  const ownerOf = new WeakMap<FastifyRequest, string>();
  const check = app.createRateLimit({
    ...(rest && { max: rest.limit, timeWindow: rest.windowMs }),
    keyGenerator: (request) => `rest ${ownerOf.get(request) ?? ''}`,
  });

  return {
    configOf(endpoint) {
      if (!auth || !ATTEMPTS.has(endpoint)) return {};
      const keyGenerator = (request: FastifyRequest) => `auth ${addressOf(request)}`;
      return { rateLimit: { max: auth.limit, timeWindow: auth.windowMs, keyGenerator } };
    },
    async require(request, userId) {
      if (!rest) return;
      ownerOf.set(request, userId === undefined ? addressOf(request) : `user:${userId}`);
      const checked = await check(request);
      if (!checked.isAllowed && checked.isExceeded) throw refusal('Too many requests', checked.ttl);
    },
  };
}

function addressOf(request: FastifyRequest): string {
  return `address:${normalizeIP(request.ip)}`;
}

function refusal(message: string, waitMs: number): ChatError {
  return new ChatError('RATE_LIMITED', { message, retryAfterMs: Math.max(1, Math.ceil(waitMs)) });
}
