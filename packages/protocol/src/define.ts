import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';

/** An event that a client sends and the server answers with an acknowledgement. */
export interface Command<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  readonly kind: 'command';
  /** The event's name on the wire. */
  readonly name: Name;
  readonly summary: string;
  readonly description?: string;
  /** Parses the payload of the request. */
  readonly input: Input;
  /** Describes `data` of a positive answer. */
  readonly output: Output;
}

/** An event that the server sends and nobody answers. */
export interface Broadcast<Name extends string = string, Data extends z.ZodType = z.ZodType> {
  readonly kind: 'broadcast';
  readonly name: Name;
  readonly summary: string;
  readonly description?: string;
  readonly payload: Data;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who may call a route: anybody, a user with a valid token, or an operator (claim `role: admin`). */
export type EndpointAuth = 'none' | 'user' | 'admin';

type Part = z.ZodType | undefined;

/** A route of the REST interface. */
export interface Endpoint<
  Id extends string = string,
  Params extends Part = Part,
  Query extends Part = Part,
  Body extends Part = Part,
  Response extends Part = Part,
  Auth extends EndpointAuth = EndpointAuth,
> {
  readonly kind: 'endpoint';
  readonly id: Id;
  readonly method: Method;
  /** The whole path, with `:name` for a parameter. */
  readonly path: string;
  readonly auth: Auth;
  readonly summary: string;
  readonly description?: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The JSON body of a positive answer; `undefined`: none, or not JSON (see `contentType`). */
  readonly response: Response;
  /** The HTTP status of a positive answer. */
  readonly status: number;
  /** The status instead of `status` when what was asked for existed already. */
  readonly statusIfExisting?: number;
  /** The media type of a positive answer that is not JSON. */
  readonly contentType?: string;
  /** The positive answer sets the cookies `parley_access` and `parley_refresh`. */
  readonly setsCookies?: boolean;
  /** Error codes beyond those that every route of its kind may answer with. */
  readonly errors: readonly ErrorCode[];
}

/** Defines a client-to-server event. The literal type of the name is kept. */
export function command<const Name extends string, Input extends z.ZodType, Output extends z.ZodType>(
  name: Name,
  parts: { summary: string; description?: string; input: Input; output: Output },
): Command<Name, Input, Output> {
  return Object.freeze({ kind: 'command', name, ...parts });
}

/** Defines a server-to-client event. */
export function broadcast<const Name extends string, Data extends z.ZodType>(
  name: Name,
  parts: { summary: string; description?: string; payload: Data },
): Broadcast<Name, Data> {
  return Object.freeze({ kind: 'broadcast', name, ...parts });
}

/** Defines a route. Parts that are left out are `undefined` in the definition. */
export function endpoint<
  const Id extends string,
  Params extends Part = undefined,
  Query extends Part = undefined,
  Body extends Part = undefined,
  Response extends Part = undefined,
  const Auth extends EndpointAuth = EndpointAuth,
>(
  parts: Pick<
    Endpoint,
    'method' | 'path' | 'summary' | 'description' | 'status' | 'statusIfExisting' | 'contentType' | 'setsCookies'
  > & {
    id: Id;
    auth: Auth;
    params?: Params;
    query?: Query;
    body?: Body;
    response?: Response;
    errors?: readonly ErrorCode[];
  },
): Endpoint<Id, Params, Query, Body, Response, Auth> {
  const { params, query, body, response, errors = [], ...rest } = parts;
  return Object.freeze({
    kind: 'endpoint',
    ...rest,
    params: params as Params,
    query: query as Query,
    body: body as Body,
    response: response as Response,
    errors,
  });
}

type OutputOf<T> = T extends z.ZodType ? z.output<T> : undefined;
type InputOf<T> = T extends z.ZodType ? z.input<T> : undefined;

/** What the server handles: the payload after parsing, with defaults and normalised text. */
export type CommandInput<C extends Command> = z.output<C['input']>;
/** What a client sends. */
export type CommandRequest<C extends Command> = z.input<C['input']>;
/** `data` of the positive answer. */
export type CommandOutput<C extends Command> = z.output<C['output']>;
/** What a broadcast carries. */
export type Payload<B extends Broadcast> = z.output<B['payload']>;

/** Path parameters, query and body after parsing, as the server handles them. */
export type EndpointParams<E extends Endpoint> = OutputOf<E['params']>;
export type EndpointQuery<E extends Endpoint> = OutputOf<E['query']>;
export type EndpointBody<E extends Endpoint> = OutputOf<E['body']>;
/** Path parameters, query and body as a client gives them (a query's numbers before they become text). */
export type EndpointParamsRequest<E extends Endpoint> = InputOf<E['params']>;
export type EndpointQueryRequest<E extends Endpoint> = InputOf<E['query']>;
export type EndpointBodyRequest<E extends Endpoint> = InputOf<E['body']>;
/** The JSON body of the positive answer; `undefined` where there is none. */
export type EndpointResponse<E extends Endpoint> = OutputOf<E['response']>;
