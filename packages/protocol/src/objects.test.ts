import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConnectAuth, messageNewEvent, presenceChangedEvent, roomJoin, roomsSync, sessionReadyEvent } from './index.ts';

const id = '01985d3c-7c00-7abc-8def-0123456789ab';
const at = '2026-01-31T12:00:00.000Z';
const user = { id: 'ana', name: 'Ana', status: 'online' };
const me = { role: 'owner', lastReadSeq: 1, unread: 2 };
const counts = { headSeq: 3, headRev: 0, memberCount: 1, onlineCount: 1 };
const room = { id, name: 'Tea', kind: 'public', createdAt: at, createdBy: 'ana', ...counts, me };
const message = {
  id,
  roomId: id,
  seq: 3,
  sender: { id: 'ana', name: 'Ana' },
  content: '',
  clientMsgId: 'x',
  createdAt: at,
};

describe('what the server sends', () => {
  test('a message, small and with everything', () => {
    assert.deepEqual(messageNewEvent.payload.parse(message), message);
    const whole = {
      ...message,
      rev: 1,
      replyTo: 1,
      editedAt: at,
      deletedAt: at,
      reactions: [{ emoji: '👍', count: 21, userIds: ['ana'] }],
      mentions: ['ana'],
      attachments: [{ anything: 1 }],
    };
    assert.deepEqual(messageNewEvent.payload.parse(whole), whole);
  });

  test('new fields of a newer server are ignored, at any depth', () => {
    const newer = { ...message, sender: { ...message.sender, mood: 'good' }, pinned: true };
    assert.deepEqual(messageNewEvent.payload.parse(newer), message);
  });

  test('times have milliseconds and are UTC', () => {
    for (const createdAt of [
      '2026-01-31T12:00:00Z',
      '2026-01-31T12:00:00.000+01:00',
      '2026-02-30T12:00:00.000Z',
      0,
      null,
    ]) {
      assert.equal(messageNewEvent.payload.safeParse({ ...message, createdAt }).success, false);
    }
  });

  test('absent fields are left out, not null', () => {
    assert.equal(messageNewEvent.payload.safeParse({ ...message, rev: null }).success, false);
    assert.equal(messageNewEvent.payload.safeParse({ ...message, seq: 0 }).success, false);
  });

  test('a join', () => {
    const joined = { room, members: [{ ...user, role: 'owner' }], online: 1, messages: [message], truncated: false };
    assert.deepEqual(roomJoin.output.parse(joined), joined);
    assert.equal(roomJoin.output.safeParse({ ...joined, members: [user] }).success, false, 'a member has a role');
  });

  test('a sync, where every room is for itself', () => {
    const rooms = [
      { roomId: id, ok: true, room, messages: [], truncated: false },
      { roomId: id, ok: false, error: { code: 'NOT_FOUND', message: 'No such room' } },
    ];
    assert.deepEqual(roomsSync.output.parse({ rooms }), { rooms });
    assert.equal(roomsSync.output.safeParse({ rooms: [{ roomId: id, ok: true }] }).success, false);
  });

  test('the beginning of a session', () => {
    const limits = { maxMessageLength: 10_000, historyMax: 100, catchupMax: 200, maxFrameBytes: 1_000_000 };
    const ready = { connectionId: 'x', user, serverTime: at, limits, version: '0.1.0' };
    assert.deepEqual(sessionReadyEvent.payload.parse(ready), ready);
  });

  test('presence is the changing part of a user', () => {
    const users = [{ id: 'ana', status: 'offline', lastSeenAt: at }];
    assert.deepEqual(presenceChangedEvent.payload.parse({ users }), { users });
  });
});

test('auth of CONNECT: what is not understood counts as absent', () => {
  for (const [auth, parsed] of [
    [
      { token: 'a.b.c', echo: true, deviceId: 'phone' },
      { token: 'a.b.c', echo: true, deviceId: 'phone' },
    ],
    [
      { token: 'a.b.c', echo: 'true', more: 1 },
      { token: 'a.b.c', echo: true },
    ],
    [
      { token: 'a.b.c', echo: 'false' },
      { token: 'a.b.c', echo: false },
    ],
    [
      { token: 'a.b.c', echo: 1 },
      { token: 'a.b.c', echo: false },
    ],
    [
      { token: 'a.b.c', echo: null, deviceId: null },
      { token: 'a.b.c', echo: false },
    ],
    [
      { token: 5, echo: true, deviceId: 'phone' },
      { echo: true, deviceId: 'phone' },
    ],
    [
      { token: 'a.b.c', echo: true, deviceId: {} },
      { token: 'a.b.c', echo: true },
    ],
    [{ token: '' }, { echo: false }],
    [{ token: 'x'.repeat(1_000_000) }, { echo: false }],
    [{}, { echo: false }],
    [undefined, { echo: false }],
    [null, { echo: false }],
    ['token', { echo: false }],
    [JSON.parse('{"__proto__": {"token": "a"}}'), { echo: false }],
  ] as const) {
    assert.deepEqual(ConnectAuth.parse(auth), parsed);
  }
});
