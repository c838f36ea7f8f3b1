import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Command,
  type Endpoint,
  broadcasts,
  commands,
  endpoints,
  errors,
  limits,
  sessionEndings,
} from './index.ts';

// What is listed here is the public contract, and apart from it what there is beyond the contract. A difference is a
// change that clients notice.

const COMMANDS = [
  'direct:open',
  'member:add',
  'member:ban',
  'member:mute',
  'member:remove',
  'member:role',
  'message:delete',
  'message:edit',
  'message:history',
  'message:react',
  'message:read',
  'message:send',
  'presence:get',
  'presence:set',
  'room:create',
  'room:join',
  'room:leave',
  'room:list',
  'room:members',
  'rooms:sync',
  'session:renew',
  'typing:start',
  'typing:stop',
];

const BROADCASTS = [
  'message:new',
  'message:read',
  'message:updated',
  'presence:changed',
  'request:error',
  'room:added',
  'room:removed',
  'room:resync',
  'room:updated',
  'room:user_joined',
  'room:user_left',
  'session:ended',
  'session:expiring',
  'session:ready',
  'typing:start',
  'typing:stop',
];

const ROUTES = [
  'DELETE /api/rooms/:id/members/me user 204',
  'GET /api/me user 200',
  'GET /api/rooms user 200',
  'GET /api/rooms/:id user 200',
  'GET /api/rooms/:id/members user 200',
  'GET /api/rooms/:id/messages user 200',
  'GET /docs none 200',
  'GET /docs/asyncapi.json none 200',
  'GET /docs/openapi.json none 200',
  'GET /health/live none 200',
  'GET /health/ready none 200',
  'PATCH /api/me user 200',
  'PATCH /api/rooms/:id user 200',
  'POST /api/admin/users/:id/ban admin 204',
  'POST /api/auth/code none 200',
  'POST /api/auth/code/verify none 200',
  'POST /api/auth/login none 200',
  'POST /api/auth/logout user 204',
  'POST /api/auth/logout-all user 204',
  'POST /api/auth/password user 204',
  'POST /api/auth/refresh none 200',
  'POST /api/auth/register none 201',
  'POST /api/rooms user 201',
  'POST /api/rooms/:id/join user 200',
  'POST /api/rooms/:id/messages user 201',
];

/** Extensions, which their descriptions say: no client may rely on them at other servers of the contract. */
const MORE_COMMANDS = ['message:readers', 'message:report', 'user:block'];

const MORE_ROUTES = [
  'DELETE /api/users/:id/block user 204',
  'GET /api/me/blocks user 200',
  'GET /api/rooms/:id/audit user 200',
  'GET /api/rooms/:id/messages/:seq/readers user 200',
  'GET /api/rooms/:id/reports user 200',
  'GET /api/rooms/:id/word-filter user 200',
  'POST /api/rooms/:id/reports/:reportId/resolve user 204',
  'PUT /api/users/:id/block user 204',
];

const STATUS_OF_CODE = {
  VALIDATION_ERROR: 400,
  MESSAGE_TOO_LONG: 400,
  UNKNOWN_EVENT: null,
  UNAUTHORIZED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  NOT_A_MEMBER: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  MUTED: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

const RECONNECT_AFTER_ENDING = {
  TOKEN_EXPIRED: false,
  LOGGED_OUT: false,
  BANNED: false,
  RATE_ABUSE: false,
  SLOW_CONSUMER: true,
  SERVER_DRAIN: true,
};

const DEFAULT_OF_LIMIT = {
  MAX_CONNECTIONS: '20000',
  MAX_CONNECTIONS_PER_USER: '20',
  MAX_PENDING_PER_ADDRESS: '1000',
  CONNECT_TIMEOUT_MS: '5000',
  DRAIN_MS: '10000',
  ROSTER_DETAIL_MAX: '200',
  TYPING_TIMEOUT_MS: '3000',
  PRESENCE_GRACE_MS: '3000',
  CATCHUP_MAX: '200',
  HISTORY_MAX: '100',
  MAX_MESSAGE_LENGTH: '10000',
  MAX_FRAME_BYTES: '1000000',
  RATE_MESSAGES_ROOM: '10/5s',
  RATE_MESSAGES_USER: '20/1s',
  MUTE_AFTER: '3/60s',
  MUTE_FOR: '30s',
  RATE_ABUSE: '100/10s',
  RATE_TYPING: '1/1s',
  RATE_JOIN: '20/10s',
  RATE_ROOM_CREATE: '10/1h',
  RATE_AUTH: '10/10m',
  RATE_REST: '600/10s',
  RATE_CONNECT: '2000/10s',
};

describe('the registry is the contract', () => {
  test('commands', () => {
    assert.deepEqual(Object.keys(commands).toSorted(), [...COMMANDS, ...MORE_COMMANDS].toSorted());
    for (const [name, definition] of Object.entries(commands)) assert.equal(definition.name, name);
  });

  test('what goes beyond it says so', () => {
    const isMore = ({ method, path, auth, status }: Endpoint) =>
      MORE_ROUTES.includes(`${method} ${path} ${auth} ${status}`);
    const definitions = [
      ...Object.values<Command>(commands).map((one) => ({ ...one, isMore: MORE_COMMANDS.includes(one.name) })),
      ...Object.values<Endpoint>(endpoints).map((one) => ({ ...one, name: one.id, isMore: isMore(one) })),
    ];
    for (const { name, description = '', isMore } of definitions) {
      assert.equal(description.startsWith('An extension of the contract.'), isMore, name);
    }
  });

  test('broadcasts', () => {
    assert.deepEqual(Object.keys(broadcasts).toSorted(), BROADCASTS);
    for (const [name, definition] of Object.entries(broadcasts)) assert.equal(definition.name, name);
  });

  test('routes', () => {
    const routes = Object.values<Endpoint>(endpoints).map(
      ({ method, path, auth, status }) => `${method} ${path} ${auth} ${status}`,
    );
    assert.deepEqual(routes.toSorted(), [...ROUTES, ...MORE_ROUTES].toSorted());
    for (const [id, definition] of Object.entries(endpoints)) assert.equal(definition.id, id);
  });

  test('error codes', () => {
    const statuses = Object.fromEntries(Object.entries(errors).map(([code, { status }]) => [code, status]));
    assert.deepEqual(statuses, STATUS_OF_CODE);
  });

  test('session endings', () => {
    const reconnects = Object.fromEntries(
      Object.entries(sessionEndings).map(([code, { reconnect }]) => [code, reconnect]),
    );
    assert.deepEqual(reconnects, RECONNECT_AFTER_ENDING);
  });

  test('limits', () => {
    const defaults = Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limit.default]));
    assert.deepEqual(defaults, DEFAULT_OF_LIMIT);
  });
});

describe('routes are whole', () => {
  for (const endpoint of Object.values<Endpoint>(endpoints)) {
    test(`${endpoint.method} ${endpoint.path}`, () => {
      const named = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
      const parsed = endpoint.params?.safeParse({});
      const required = parsed?.error?.issues.map(({ path }) => path[0]) ?? [];
      assert.deepEqual(required, named, 'params has exactly the names of the path');
      assert.equal(endpoint.status === 204 || endpoint.contentType !== undefined, endpoint.response === undefined);
      if (endpoint.method === 'GET') assert.equal(endpoint.body, undefined);
    });
  }
});
