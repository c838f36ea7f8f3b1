import type { Endpoint } from './define.ts';
import { ErrorAnswer, type ErrorCode, errors } from './errors.ts';
import { collectSchemas, type Json, type JsonObject, type SchemaCollection, sortKeys } from './json-schema.ts';
import { endpoints } from './registry.ts';

const DESCRIPTION = `The REST interface of Parley. The events of the Socket.IO interface are in \`/docs/asyncapi.json\`.

Send the token as \`Authorization: Bearer\` or as the cookie \`parley_access\`. With the cookie, requests that change
something need an own or allowed \`Origin\`. The body of every error is \`{error: {code, message, details?, retryAfterMs?}}\`.
Fields that are not described are ignored on both sides.`;

/** The OpenAPI 3.1 document of all routes of the public port. */
export function buildOpenapi(): JsonObject {
  const schemas = collectSchemas('draft-2020-12');
  const paths: Record<string, JsonObject> = {};
  for (const endpoint of Object.values<Endpoint>(endpoints)) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[endpoint.method.toLowerCase()] = operationOf(endpoint, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Parley', version: '1.0.0', description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: [
      { name: 'auth', description: 'Accounts and sessions' },
      { name: 'me', description: 'Oneself' },
      { name: 'rooms', description: 'Rooms, members, messages' },
      { name: 'admin', description: 'For operators' },
      { name: 'health', description: 'For probes' },
      { name: 'docs', description: 'These documents' },
    ],
    paths,
    components: {
      schemas: sortKeys(schemas.components),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'parley_access' },
      },
    },
  };
}

/** Every code that a route may answer with: its own, and those that come with its kind. */
export function errorCodesOf(endpoint: Endpoint): ErrorCode[] {
  const codes = new Set<ErrorCode>(endpoint.errors);
  const changesSomething = endpoint.method !== 'GET';
  if (endpoint.params || endpoint.query || endpoint.body) codes.add('VALIDATION_ERROR');
  if (endpoint.body) codes.add('PAYLOAD_TOO_LARGE');
  if (endpoint.params) codes.add('NOT_FOUND');
  if (endpoint.auth !== 'none') codes.add('UNAUTHORIZED').add('TOKEN_EXPIRED');
  if (endpoint.auth === 'admin' || (endpoint.auth === 'user' && changesSomething)) codes.add('FORBIDDEN');
  if (endpoint.path.startsWith('/api/')) codes.add('UNAVAILABLE').add('INTERNAL');
  return (Object.keys(errors) as ErrorCode[]).filter((code) => codes.has(code));
}

function operationOf(endpoint: Endpoint, schemas: SchemaCollection): JsonObject {
  const parameters = [...parametersOf(endpoint, 'path', schemas), ...parametersOf(endpoint, 'query', schemas)];
  return {
    operationId: endpoint.id,
    tags: [endpoint.path.replace(/^\/api\//, '/').split('/')[1] ?? ''],
    summary: endpoint.summary,
    ...(endpoint.description !== undefined && { description: endpoint.description }),
    security: endpoint.auth === 'none' ? [] : [{ bearer: [] }, { cookie: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(endpoint.body && {
      requestBody: {
        required: !endpoint.body.safeParse(undefined).success,
        content: { 'application/json': { schema: schemas.add(endpoint.body) } },
      },
    }),
    responses: { ...positiveResponses(endpoint, schemas), ...errorResponses(endpoint, schemas) },
  };
}

function parametersOf(endpoint: Endpoint, where: 'path' | 'query', schemas: SchemaCollection): JsonObject[] {
  const part = where === 'path' ? endpoint.params : endpoint.query;
  if (!part) return [];
  const { properties = {}, required = [] } = schemas.add(part) as { properties?: JsonObject; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: where,
    required: required.includes(name),
    schema,
  }));
}

function positiveResponses(endpoint: Endpoint, schemas: SchemaCollection): JsonObject {
  const content: JsonObject = endpoint.response
    ? { 'application/json': { schema: schemas.add(endpoint.response) } }
    : endpoint.contentType === undefined
      ? {}
      : { [endpoint.contentType]: { schema: { type: 'string' } } };
  const rest: JsonObject = {
    ...(endpoint.setsCookies && {
      headers: {
        'Set-Cookie': { description: '`parley_access` and `parley_refresh`, HttpOnly.', schema: { type: 'string' } },
      },
    }),
    ...(Object.keys(content).length > 0 && { content }),
  };
  const responses: Record<string, Json> = { [endpoint.status]: { description: wordFor(endpoint.status), ...rest } };
  if (endpoint.statusIfExisting !== undefined) {
    responses[endpoint.statusIfExisting] = { description: 'Existed already', ...rest };
  }
  return responses;
}

function wordFor(status: number): string {
  if (status === 201) return 'Created';
  return status === 204 ? 'Done' : 'OK';
}

function errorResponses(endpoint: Endpoint, schemas: SchemaCollection): JsonObject {
  const byStatus = Map.groupBy(errorCodesOf(endpoint), (code) => errors[code].status);
  const responses: JsonObject = {};
  for (const [status, codes] of byStatus) {
    if (status === null) continue;
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${errors[code].meaning}`).join('\n\n'),
      content: { 'application/json': { schema: schemas.add(ErrorAnswer) } },
    };
  }
  return responses;
}
