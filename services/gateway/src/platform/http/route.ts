import type { Endpoint, EndpointBody, EndpointParams, EndpointQuery, EndpointResponse } from '@parley/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ChatError } from '../errors.ts';
import type { Authenticate, Identity } from '../identity.ts';
import { validationError } from '../failures.ts';
import { isRefusal } from '../rate-limit/refusal.ts';
import { findCredential } from './credentials.ts';
import type { IsAllowedOrigin } from './origin.ts';
import type { RestRates } from './rest-rates.ts';

/** A request after parsing. */
export interface RouteInput<E extends Endpoint> {
  params: EndpointParams<E>;
  query: EndpointQuery<E>;
  body: EndpointBody<E>;
}

export interface RouteCall<Context, E extends Endpoint> extends RouteInput<E> {
  ctx: Context;
  /** Who asks. Absent on routes for everybody. */
  actor: E['auth'] extends 'none' ? undefined : Identity;
  reply: FastifyReply;
}

export interface Route<Context> {
  endpoint: Endpoint;
  act: (call: never) => Promise<unknown>;
  /** Only to tie the context's type to the route. */
  readonly _context?: Context;
}

/** Ties an action to its route; the types of both have to agree. */
export function route<Context, const E extends Endpoint>(
  endpoint: E,
  act: (call: RouteCall<Context, E>) => Promise<E['response'] extends z.ZodType ? EndpointResponse<E> : void>,
): Route<Context> {
  return { endpoint, act };
}

export interface RoutesOptions<Context> {
  ctx: Context;
  authenticate: Authenticate;
  isAllowedOrigin: IsAllowedOrigin;
  rates: RestRates;
  /** Told of every request that was refused by a rate of the user, not by those of REST. */
  onRefused: (userId: string) => void;
}

/** The only way in for REST requests: who asks, parse, act, answer. Errors are answered by the app's error handler. */
export function mountRoutes<Context>(
  app: FastifyInstance,
  routes: readonly Route<Context>[],
  { ctx, authenticate, isAllowedOrigin, rates, onRefused }: RoutesOptions<Context>,
): void {
  /** Who asks, if there is room for the request. One that brings no good credential counts for its address. */
  async function admit(request: FastifyRequest, { auth, path }: Endpoint): Promise<Identity | undefined> {
    let actor: Identity | undefined;
    try {
      if (auth !== 'none') actor = await identify(request, authenticate, isAllowedOrigin);
    } finally {
      if (path.startsWith('/api/')) await rates.require(request, actor?.user.id);
    }
    if (auth === 'admin' && actor?.role !== 'admin') throw new ChatError('FORBIDDEN');
    return actor;
  }

  for (const { endpoint, act } of routes) {
    app.route({
      method: endpoint.method,
      url: endpoint.path,
      config: rates.configOf(endpoint),
      handler: async (request, reply) => {
        const actor = await admit(request, endpoint);
        const input = {
          params: parsePart(endpoint.params, request.params),
          query: parsePart(endpoint.query, request.query),
          body: parsePart(endpoint.body, request.body ?? {}),
        };
        reply.status(endpoint.status);
        const answer = await act({ ctx, actor, reply, ...input } as never).catch((error: unknown) => {
          if (actor && isRefusal(error)) onRefused(actor.user.id);
          throw error;
        });
        return endpoint.response === undefined ? reply.send() : answer;
      },
    });
  }
}

/** The header's token counts before the cookie's; a cookie alone does not change anything from a foreign origin. */
async function identify(
  request: FastifyRequest,
  authenticate: Authenticate,
  isAllowedOrigin: IsAllowedOrigin,
): Promise<Identity> {
  const credential = findCredential(request.raw);
  if (!credential) throw new ChatError('UNAUTHORIZED');
  const changesSomething = request.method !== 'GET' && request.method !== 'HEAD';
  if (credential.from === 'cookie' && changesSomething) requireOwnOrigin(request, isAllowedOrigin);
  return authenticate(credential.token);
}

/** @throws ChatError `FORBIDDEN` without an `Origin`, or with a foreign one */
export function requireOwnOrigin(request: FastifyRequest, isAllowedOrigin: IsAllowedOrigin): void {
  if (request.headers.origin === undefined || !isAllowedOrigin(request.raw)) {
    throw new ChatError('FORBIDDEN', { message: 'A cookie needs an own or allowed Origin to change something' });
  }
}

function parsePart(schema: z.ZodType | undefined, value: unknown): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error);
}
