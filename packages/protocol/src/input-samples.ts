import type { z } from 'zod';
import { type Command, commands, type Endpoint, endpoints } from './index.ts';

// Payloads for the tests of what a server accepts: of every command, and of every body and query of REST.

export const ROOM = '01985d3c-7c00-7abc-8def-0123456789ab';
const roomId = ROOM;
const clientMsgId = 'phone-1';
const user = { roomId, userId: 'ana' };

export interface Sample {
  readonly name: string;
  readonly schema: z.ZodType;
  /** The smallest good payload. */
  readonly good: Record<string, unknown>;
  /** What parsing makes of it. Default: the same. */
  readonly parsed?: Record<string, unknown>;
  /** A good payload with every field. */
  readonly full?: Record<string, unknown>;
  /** Payloads that are refused, and the path of the first issue. */
  readonly bad: readonly (readonly [payload: unknown, path: string])[];
}

type Cases = Omit<Sample, 'name' | 'schema'>;

const ofCommands: Record<keyof typeof commands, Cases> = {
  'session:renew': {
    good: { token: 'a.b.c' },
    bad: [
      [{ token: '' }, 'token'],
      [{ token: 'x'.repeat(16_385) }, 'token'],
    ],
  },
  'room:create': {
    good: { name: 'Tea room' },
    parsed: { name: 'Tea room', kind: 'public' },
    full: { name: 'Tea room', kind: 'private', topic: 'Oolong' },
    bad: [
      [{ name: '' }, 'name'],
      [{ name: '   ' }, 'name'],
      [{ name: 'a'.repeat(51) }, 'name'],
      [{ name: 'a/b' }, 'name'],
      [{ name: 'Tea', kind: 'direct' }, 'kind'],
      [{ name: 'Tea', topic: 'x'.repeat(501) }, 'topic'],
      [{ name: 'Tea', topic: null }, 'topic'],
    ],
  },
  'room:list': {
    good: {},
    parsed: { scope: 'public', limit: 50 },
    full: { scope: 'mine', search: 'tea', cursor: 'abc', limit: 100 },
    bad: [
      [{ scope: 'all' }, 'scope'],
      [{ limit: 0 }, 'limit'],
      [{ limit: 101 }, 'limit'],
      [{ limit: '50' }, 'limit'],
      [{ search: 'x'.repeat(101) }, 'search'],
      [{ cursor: '' }, 'cursor'],
      [{ cursor: 'x'.repeat(513) }, 'cursor'],
    ],
  },
  'room:join': {
    good: { roomId },
    parsed: { roomId, create: false, history: 50 },
    full: { name: 'Tea', create: true, history: 0, cursor: { seq: 0, rev: 0 } },
    bad: [
      [{}, ''],
      [{ roomId, name: 'Tea' }, ''],
      [{ create: true }, ''],
      [{ roomId: 'lobby' }, 'roomId'],
      [{ name: 'Tea', create: 'yes' }, 'create'],
      [{ roomId, history: 101 }, 'history'],
      [{ roomId, history: -1 }, 'history'],
      [{ roomId, cursor: {} }, 'cursor.seq'],
      [{ roomId, cursor: { seq: -1 } }, 'cursor.seq'],
      [{ roomId, cursor: { seq: 1, rev: 0.5 } }, 'cursor.rev'],
      [{ roomId, cursor: 5 }, 'cursor'],
    ],
  },
  'room:leave': { good: { roomId }, bad: [[{ roomId: `${roomId}0` }, 'roomId']] },
  'room:members': {
    good: { roomId },
    parsed: { roomId, limit: 50 },
    full: { roomId, cursor: 'abc', limit: 1 },
    bad: [
      [{ roomId, limit: 0 }, 'limit'],
      [{ roomId, cursor: 1 }, 'cursor'],
    ],
  },
  'rooms:sync': {
    good: { rooms: [] },
    full: {
      rooms: [
        { roomId, seq: 0 },
        { roomId, seq: 7, rev: 2 },
      ],
    },
    bad: [
      [{ rooms: {} }, 'rooms'],
      [{ rooms: [null] }, 'rooms.0'],
      [
        {
          rooms: [
            { roomId, seq: 1 },
            { roomId, seq: -1 },
          ],
        },
        'rooms.1.seq',
      ],
      [{ rooms: [{ roomId: 'x', seq: 1 }] }, 'rooms.0.roomId'],
      [{ rooms: Array.from({ length: 201 }, () => ({ roomId, seq: 1 })) }, 'rooms'],
      [{ rooms: Array.from({ length: 300_000 }, () => 0) }, 'rooms'],
    ],
  },
  'message:send': {
    good: { roomId, content: 'Hello', clientMsgId },
    full: { roomId, content: ' Hello\n', clientMsgId, replyTo: 1 },
    bad: [
      [{ roomId, content: '', clientMsgId }, 'content'],
      [{ roomId, content: ' \n\t\u00a0\u2003', clientMsgId }, 'content'],
      [{ roomId, content: 'Hello', clientMsgId: '' }, 'clientMsgId'],
      [{ roomId, content: 'Hello', clientMsgId: 'x'.repeat(65) }, 'clientMsgId'],
      [{ roomId, content: 'Hello', clientMsgId: 5 }, 'clientMsgId'],
      [{ roomId, content: 'Hello', clientMsgId, replyTo: 0 }, 'replyTo'],
      [{ roomId, content: 'Hello', clientMsgId, replyTo: 2 ** 53 }, 'replyTo'],
    ],
  },
  'message:edit': {
    good: { roomId, seq: 1, content: 'Hello' },
    bad: [
      [{ roomId, seq: 0, content: 'Hello' }, 'seq'],
      [{ roomId, seq: 1, content: ' ' }, 'content'],
    ],
  },
  'message:delete': { good: { roomId, seq: 1 }, bad: [[{ roomId, seq: '1' }, 'seq']] },
  'message:react': {
    good: { roomId, seq: 1, emoji: '👩‍👩‍👧‍👦', on: true },
    bad: [
      [{ roomId, seq: 1, emoji: '', on: true }, 'emoji'],
      [{ roomId, seq: 1, emoji: 'a b', on: true }, 'emoji'],
      [{ roomId, seq: 1, emoji: 'a\u0007', on: true }, 'emoji'],
      [{ roomId, seq: 1, emoji: '👍'.repeat(33), on: true }, 'emoji'],
      [{ roomId, seq: 1, emoji: '👍', on: 1 }, 'on'],
    ],
  },
  'message:history': {
    good: { roomId },
    parsed: { roomId, limit: 50 },
    full: { roomId, around: 7, limit: 100 },
    bad: [
      [{ roomId, before: 1, after: 1 }, ''],
      [{ roomId, before: 1, after: 1, around: 1 }, ''],
      [{ roomId, around: 0 }, 'around'],
      [{ roomId, before: -1 }, 'before'],
      [{ roomId, after: 1.5 }, 'after'],
      [{ roomId, limit: 101 }, 'limit'],
    ],
  },
  'message:report': {
    good: { roomId, seq: 1 },
    full: { roomId, seq: 1, reason: 'Spam' },
    bad: [
      [{ roomId, seq: 0 }, 'seq'],
      [{ roomId, seq: 1, reason: 'x'.repeat(501) }, 'reason'],
    ],
  },
  'message:read': { good: { roomId, seq: 0 }, bad: [[{ roomId, seq: -1 }, 'seq']] },
  'message:readers': {
    good: { roomId, seq: 1 },
    parsed: { roomId, seq: 1, limit: 50 },
    full: { roomId, seq: 1, cursor: 'abc', limit: 100 },
    bad: [
      [{ roomId, seq: 0 }, 'seq'],
      [{ roomId, seq: 1, limit: 0 }, 'limit'],
      [{ roomId, seq: 1, cursor: 1 }, 'cursor'],
    ],
  },
  'typing:start': { good: { roomId }, bad: [[{ roomId: '' }, 'roomId']] },
  'typing:stop': { good: { roomId }, bad: [[{ room: roomId }, 'roomId']] },
  'presence:set': {
    good: { status: 'away' },
    full: { status: 'dnd', statusText: '' },
    bad: [
      [{ status: 'offline' }, 'status'],
      [{ status: 'online', statusText: 'x'.repeat(201) }, 'statusText'],
    ],
  },
  'presence:get': {
    good: { userIds: ['ana'] },
    bad: [
      [{ userIds: 'ana' }, 'userIds'],
      [{ userIds: ['ana', ''] }, 'userIds.1'],
      [{ userIds: Array.from({ length: 201 }, () => 'ana') }, 'userIds'],
    ],
  },
  'direct:open': {
    good: { userId: 'bo.b:x@y-_9' },
    bad: [
      [{ userId: 'a b' }, 'userId'],
      [{ userId: 'x'.repeat(129) }, 'userId'],
    ],
  },
  'member:add': { good: user, bad: [[{ roomId }, 'userId']] },
  'member:remove': { good: user, bad: [[{ userId: 'ana' }, 'roomId']] },
  'member:role': { good: { ...user, role: 'owner' }, bad: [[{ ...user, role: 'admin' }, 'role']] },
  'member:mute': {
    good: { ...user, forMs: 0 },
    bad: [
      [{ ...user, forMs: -1 }, 'forMs'],
      [{ ...user, forMs: 2 ** 52 }, 'forMs'],
    ],
  },
  'member:ban': {
    good: { ...user, on: true },
    full: { ...user, on: false, reason: 'Spam' },
    bad: [
      [user, 'on'],
      [{ ...user, on: true, reason: 'x'.repeat(501) }, 'reason'],
    ],
  },
  'user:block': {
    good: { userId: 'ana', on: true },
    bad: [
      [{ userId: 'ana' }, 'on'],
      [{ userId: '', on: true }, 'userId'],
    ],
  },
};

const login = { username: 'ana', password: 'correct horse' };
const page = { limit: '10' };

const ofBodies: Partial<Record<keyof typeof endpoints, Cases>> = {
  authRegister: {
    good: login,
    full: { ...login, name: 'Ana', email: 'ana@example.org' },
    bad: [
      [{ ...login, email: 'ana' }, 'email'],
      [{ ...login, email: 'a@example.org\r\nBcc: b@example.org' }, 'email'],
      [{ ...login, email: `${'a'.repeat(250)}@example.org` }, 'email'],
      [{ ...login, username: 'an' }, 'username'],
      [{ ...login, username: 'a'.repeat(21) }, 'username'],
      [{ ...login, username: 'änna' }, 'username'],
      [{ ...login, password: 'short' }, 'password'],
      [{ ...login, password: '👍'.repeat(7) }, 'password'],
      [{ ...login, password: 'x'.repeat(201) }, 'password'],
      [{ ...login, name: ' ' }, 'name'],
      [{ ...login, name: 'a\nb' }, 'name'],
      [{ ...login, name: 'x'.repeat(101) }, 'name'],
    ],
  },
  // A name or password that no account can have is for the server to refuse, as any other wrong one.
  authLogin: { good: { username: 'a', password: 'x' }, bad: [[{ username: 'ana' }, 'password']] },
  authCode: { good: { username: 'ana' }, bad: [[{}, 'username']] },
  authCodeVerify: {
    good: { username: 'ana', code: '012345' },
    bad: [
      [{ username: 'ana', code: 12_345 }, 'code'],
      [{ username: 'ana', code: '12345' }, 'code'],
    ],
  },
  authPassword: {
    good: { currentPassword: 'old', newPassword: 'correct horse' },
    bad: [[{ currentPassword: 'old', newPassword: 'short' }, 'newPassword']],
  },
  mePatch: {
    good: {},
    full: { name: 'Ana', avatarUrl: 'https://example.org/a.png', statusText: 'Away' },
    bad: [
      [{ avatarUrl: 'javascript:alert(1)' }, 'avatarUrl'],
      [{ avatarUrl: 'https://' }, 'avatarUrl'],
      [{ avatarUrl: 'ht\ntps://example.org' }, 'avatarUrl'],
      [{ avatarUrl: ' https://example.org' }, 'avatarUrl'],
      [{ avatarUrl: `https://example.org/${'x'.repeat(2048)}` }, 'avatarUrl'],
      [{ name: '' }, 'name'],
    ],
  },
  roomsPost: { ...ofCommands['room:create'] },
  roomPatch: {
    good: {},
    full: {
      name: 'Tea',
      topic: '',
      membersCanInvite: true,
      slowModeMs: 21_600_000,
      wordFilter: { mode: 'mask', words: ['darn', 'foo bar'] },
    },
    bad: [
      [{ name: '' }, 'name'],
      [{ membersCanInvite: 'true' }, 'membersCanInvite'],
      [{ slowModeMs: 21_600_001 }, 'slowModeMs'],
      [{ slowModeMs: '0' }, 'slowModeMs'],
      [{ wordFilter: { mode: 'on' } }, 'wordFilter.mode'],
      [{ wordFilter: { mode: 'mask', words: ['darn', ' '] } }, 'wordFilter.words.1'],
      [{ wordFilter: { mode: 'mask', words: ['***'] } }, 'wordFilter.words.0'],
      [{ wordFilter: { mode: 'mask', words: Array.from({ length: 201 }, () => 'darn') } }, 'wordFilter.words'],
    ],
  },
  roomJoinPost: {
    good: {},
    parsed: { history: 50 },
    full: { history: 100, cursor: { seq: 3 } },
    bad: [[{ history: 101 }, 'history']],
  },
  roomMessagesPost: {
    good: { content: 'Hello', clientMsgId },
    full: { content: 'Hello', clientMsgId, replyTo: 3 },
    bad: [[{ content: 'Hello' }, 'clientMsgId']],
  },
  adminUserBan: { good: { on: true }, bad: [[{ on: 'true' }, 'on']] },
};

const badLimits: Cases['bad'] = [
  '0',
  '101',
  '-1',
  '1.5',
  '1e1',
  '0x10',
  ' 5',
  '',
  'ten',
  '9'.repeat(17),
  ['5', '6'],
].map((limit) => [{ limit }, 'limit']);

const ofQueries: Partial<Record<keyof typeof endpoints, Cases>> = {
  roomsGet: {
    good: {},
    parsed: { scope: 'public', limit: 50 },
    full: { scope: 'mine', search: 'tea', cursor: 'abc', limit: '100' },
    bad: [...badLimits, [{ scope: ['mine', 'mine'] }, 'scope']],
  },
  roomMembersGet: { good: page, parsed: { limit: 10 }, full: { cursor: 'abc', limit: '1' }, bad: badLimits },
  roomReadersGet: { good: page, parsed: { limit: 10 }, full: { cursor: 'abc', limit: '1' }, bad: badLimits },
  roomReportsGet: { good: page, parsed: { limit: 10 }, full: { cursor: 'abc', limit: '1' }, bad: badLimits },
  roomAuditGet: { good: page, parsed: { limit: 10 }, full: { cursor: 'abc', limit: '1' }, bad: badLimits },
  blocksGet: { good: page, parsed: { limit: 10 }, full: { cursor: 'abc', limit: '1' }, bad: badLimits },
  roomMessagesGet: {
    good: { before: '7', limit: '10' },
    parsed: { before: 7, limit: 10 },
    full: { after: '0', limit: '1' },
    bad: [...badLimits, [{ before: '1', around: '1' }, ''], [{ around: '0' }, 'around'], [{ after: '-1' }, 'after']],
  },
};

export const commandSamples = Object.values<Command>(commands).map(({ name, input }): Sample => ({
  name,
  schema: input,
  ...ofCommands[name as keyof typeof commands],
}));

/** Bodies and queries that a route takes but this file says nothing of have no cases, which a test finds. */
export const endpointSamples = Object.values<Endpoint>(endpoints).flatMap(({ id, body, query }): Sample[] => [
  ...(body ? [{ name: `${id} body`, schema: body, ...(ofBodies[id as keyof typeof endpoints] as Cases) }] : []),
  ...(query ? [{ name: `${id} query`, schema: query, ...(ofQueries[id as keyof typeof endpoints] as Cases) }] : []),
]);
