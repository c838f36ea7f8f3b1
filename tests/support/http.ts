import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import {
  endpoints,
  ErrorAnswer,
  errors,
  type Endpoint,
  type EndpointId,
  type EndpointResponse,
  type ErrorBody,
  type ErrorCode,
} from '@parley/protocol';
import { within } from '@parley/test-support';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Throws when the body is no JSON. */
  json(): unknown;
}

export interface HttpOptions {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as it is. */
  body?: string | Buffer;
  /** For the whole answer. Default 10 s. */
  timeoutMs?: number;
}

/** One request on its own connection. What is no valid URL or header is sent as well as Node allows. */
export async function http({ url }: { url: string }, path: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body, timeoutMs = 10_000 } = options;
  const answer = new Promise<HttpAnswer>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json = (): unknown => JSON.parse(text);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: response.headers, text: '', json: () => undefined });
    });
    request.on('error', reject);
    request.end(body);
  });
  return within(answer, `the answer to ${method} ${path.slice(0, 200)}`, timeoutMs);
}

export interface CallOptions {
  token?: string;
  params?: Record<string, string>;
  query?: Record<string, string | number>;
  body?: unknown;
  headers?: Record<string, string>;
}

type Endpoints = typeof endpoints;

/** A request to a route of the contract, whatever comes of it. */
export function call(gateway: { url: string }, id: EndpointId, options: CallOptions = {}): Promise<HttpAnswer> {
  const { method, path } = endpoints[id] as Endpoint;
  const { params = {}, query = {}, body, headers = {} } = options;
  const filled = path.replace(/:(\w+)/g, (_match, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return http(gateway, search === '' ? filled : `${filled}?${search}`, {
    method,
    headers: {
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** The body of a request that has to succeed. @param status default: the route's own */
export async function callOk<Id extends EndpointId>(
  gateway: { url: string },
  id: Id,
  options: CallOptions & { status?: number } = {},
): Promise<EndpointResponse<Endpoints[Id]>> {
  const route = endpoints[id] as Endpoint;
  const answer = await call(gateway, id, options);
  assert.equal(answer.status, options.status ?? route.status, answer.text);
  return (route.response?.parse(answer.json()) ?? undefined) as EndpointResponse<Endpoints[Id]>;
}

/** The error of a request that has to fail with this code and the status that belongs to it. */
export async function callRefused(
  gateway: { url: string },
  id: EndpointId,
  code: ErrorCode,
  options: CallOptions = {},
): Promise<ErrorBody> {
  return errorOf(await call(gateway, id, options), code);
}

/** Holds an answer to the shape of a REST error. */
export function errorOf(answer: HttpAnswer, code: ErrorCode): ErrorBody {
  assert.equal(answer.status, errors[code].status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  const { error } = ErrorAnswer.parse(answer.json());
  assert.equal(error.code, code);
  return error;
}
