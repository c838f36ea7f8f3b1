import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { randomUUID } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import { ChatError } from '../errors.ts';
import { asChatError } from '../failures.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { IsTrustedProxy } from './address.ts';

export interface HttpAppOptions {
  log: Log;
  metrics: Metrics;
  isTrusted: IsTrustedProxy;
  allowedOrigins: readonly string[];
  /** Largest body, bytes. */
  bodyLimit: number;
  /** Wraps Fastify's listener into the gateway's HTTP server. */
  serve: (rest: RequestListener) => Server;
}

/** Fastify with one error table, request ids, and nothing of chat. */
export async function createHttpApp(options: HttpAppOptions): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = options.log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    trustProxy: options.isTrusted,
    bodyLimit: options.bodyLimit,
    // Keys that would reach a prototype are dropped like any other field that no schema knows.
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply);
    },
    serverFactory: (listener) => options.serve(listener),
    routerOptions: { maxParamLength: 200 },
  });
  // An empty body is none, whatever its type is said to be: routes whose body is optional are called like that.
  const parseJson = app.getDefaultJsonParser('remove', 'remove');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, String(body), done);
  });
  await app.register(cookie);
  await app.register(cors, {
    origin: options.allowedOrigins.includes('*') ? true : [...options.allowedOrigins],
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    options.metrics.httpRequests.observe(labels, reply.elapsedTime / 1_000);
    request.log.debug({ method: request.method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'request');
  });
  app.setNotFoundHandler(() => {
    throw new ChatError('NOT_FOUND', { message: 'No such route' });
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply));
  return app;
}

function sendError(thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  let error = asChatError(fromFastify(thrown));
  if (error.code === 'INTERNAL') {
    request.log.error({ err: thrown, requestId: request.id, route: request.routeOptions.url }, 'request failed');
    error = new ChatError('INTERNAL', { details: { requestId: request.id } });
  }
  if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1_000));
  return reply.status(error.status).send({ error: error.toBody() });
}

/** Fastify's own complaints about a request that no handler has seen yet. */
function fromFastify(error: FastifyError): unknown {
  if (!(error instanceof Error) || error.statusCode === undefined) return error;
  if (error.statusCode === 413) return new ChatError('PAYLOAD_TOO_LARGE', { cause: error });
  if (error.statusCode < 500) {
    return new ChatError('VALIDATION_ERROR', { details: [{ path: '', message: error.message }], cause: error });
  }
  return error;
}
