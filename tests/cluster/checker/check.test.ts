import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from './check.ts';
import { ann, client, idOf, page, ROOM, sent, session, stored, told, updated } from './histories.ts';
import type { ClientRecord, SeenMessage, StoredMessage, Truth } from './record.ts';

/** The names of what is found, each once, and where. */
function found(clients: readonly ClientRecord[], truth: Truth): string[] {
  return [...new Set(check(clients, truth).anomalies.map(({ name, log }) => `${name} ${log}`))].sort();
}

function messages(...seqs: number[]): SeenMessage[] {
  return seqs.map((seq) => ({ seq, id: idOf(seq) }));
}

/** The stored room with one message put in place of another. */
function replaced(truth: Truth, seq: number, by: Partial<StoredMessage>): Truth {
  const room = truth.get(ROOM) ?? assert.fail();
  const changed = room.messages.map((message) => (message.seq === seq ? { ...message, ...by } : message));
  return new Map([[ROOM, { ...room, messages: changed }]]);
}

describe('a history without anomalies', () => {
  test('a page, and everything behind it in order', () => {
    assert.deepEqual(found([client([session([page(0), ...told(1, 2, 3), ...updated(1, 2)])])], stored(3, 2)), []);
  });

  test('own messages come by their answers, before or after what is behind them', () => {
    const early = session([page(0), ...told(1), ...told(3)], { sends: [sent(2)] });
    assert.deepEqual(found([ann([early])], stored(3)), []);
    const last = session([page(0), ...told(1, 2)], { sends: [sent(3)] });
    assert.deepEqual(found([ann([last])], stored(3)), []);
  });

  test('with echo they come as events, too', () => {
    const both = session([page(0), ...told(1, 2)], { sends: [sent(2)] });
    assert.deepEqual(found([ann([both], { echo: true })], stored(2)), []);
  });

  test('an answer that was lost with its connection leaves no gap: the next page has the message', () => {
    const { answer: _, ...unanswered } = sent(2);
    const first = session([page(0), ...told(1, 3)], { sends: [unanswered] });
    const second = session([page(3, { from: { seq: 1, rev: 0 }, messages: messages(2, 3) })], {
      sends: [{ ...sent(2), isFirst: false, answer: { ok: true, seq: 2, id: idOf(2), duplicate: true } }],
    });
    assert.deepEqual(found([ann([first, second])], stored(3)), []);
  });

  test('a retry that finds its message may be answered with what was told meanwhile', () => {
    const failed = { ...sent(1), answer: { ok: false, code: 'UNAVAILABLE' } } as const;
    const again = { ...sent(1), isFirst: false, answer: { ok: true, seq: 1, id: idOf(1), duplicate: true } } as const;
    assert.deepEqual(found([ann([session([page(0), ...told(1)], { sends: [failed, again] })])], stored(1)), []);
  });

  test('a new page begins the stream anew', () => {
    const items = [page(0), ...told(1, 2), page(2, { from: { seq: 1, rev: 0 }, messages: messages(2) }), ...told(3)];
    assert.deepEqual(found([client([session(items)])], stored(3)), []);
  });

  test('a gap that was announced, and closed by the page and the history', () => {
    const items = [
      page(0),
      ...told(1),
      { kind: 'resync' } as const,
      ...told(5),
      page(6, { from: { seq: 1, rev: 0 }, messages: messages(5, 6), truncated: true }),
      { kind: 'history', messages: messages(2, 3, 4) } as const,
    ];
    assert.deepEqual(found([client([session(items)])], stored(6)), []);
  });

  test('a change by its answer', () => {
    const changes = [{ at: 0, roomId: ROOM, seq: 1, isFirst: true, answer: { ok: true, rev: 2 } } as const];
    const items = [page(1), ...updated(1, 3)];
    const room = stored(1, 3).get(ROOM) ?? assert.fail();
    const others = room.changes.map((change) => ({ ...change, actorId: change.rev === 2 ? 'ann' : 'bob' }));
    const truth = new Map([[ROOM, { ...room, changes: others }]]);
    assert.deepEqual(found([ann([session(items, { changes })])], truth), []);
  });

  test('counts what was acknowledged and heard', () => {
    const { acked, delivered, pages, sessions } = check(
      [ann([session([page(0)], { sends: [sent(1), sent(2)] })]), client([session([page(0), ...told(1, 2)])])],
      stored(2),
    );
    assert.deepEqual({ acked, delivered, pages, sessions }, { acked: 2, delivered: 2, pages: 2, sessions: 2 });
  });
});

describe('finds', () => {
  test('lost-write: acknowledged and not stored', () => {
    assert.deepEqual(found([ann([session([page(0)], { sends: [sent(1)] })])], stored(0)), ['lost-write seq']);
  });

  test('lost-write: acknowledged, and another message is in its place', () => {
    const truth = replaced(stored(1), 1, { clientMsgId: 'of another', senderId: 'carl' });
    assert.deepEqual(found([ann([session([page(0)], { sends: [sent(1)] })])], truth), ['lost-write seq']);
  });

  test('lost-write of a change', () => {
    const changes = [{ at: 0, roomId: ROOM, seq: 1, isFirst: true, answer: { ok: true, rev: 1 } } as const];
    assert.deepEqual(found([ann([session([page(1)], { changes })])], stored(1)), ['lost-write rev']);
  });

  test('duplicate: one clientMsgId stored twice', () => {
    const truth = replaced(stored(2), 2, { clientMsgId: 'ann-1' });
    assert.deepEqual(found([client([session([page(0), ...told(1, 2)])])], truth), ['duplicate seq']);
  });

  test('duplicate: one clientMsgId answered with two numbers', () => {
    const sends = [sent(1), { ...sent(2), clientMsgId: 'ann-1', isFirst: false }];
    assert.ok(found([ann([session([page(0)], { sends })])], stored(2)).includes('duplicate seq'));
  });

  test('duplicate: told twice', () => {
    assert.deepEqual(found([client([session([page(0), ...told(1, 2, 2)])])], stored(2)), ['duplicate seq']);
    assert.deepEqual(found([client([session([page(1), ...updated(1, 1)])])], stored(1, 1)), ['duplicate rev']);
  });

  test('duplicate: told although the page has it', () => {
    assert.deepEqual(found([client([session([page(1), ...told(1, 2)])])], stored(2)), ['duplicate seq']);
  });

  test('inconsistent-offsets: one number with two messages', () => {
    const other = [page(0), { kind: 'new', seq: 1, id: 'another' } as const];
    assert.deepEqual(found([client([session(other)])], stored(1)), ['inconsistent-offsets seq']);
    const inPage = page(1, { messages: [{ seq: 1, id: 'another' }] });
    assert.deepEqual(found([client([session([inPage])])], stored(1)), ['inconsistent-offsets seq']);
  });

  test('log-gap: a number that is not stored', () => {
    const room = stored(3, 3).get(ROOM) ?? assert.fail();
    const truth = new Map([
      [ROOM, { ...room, messages: room.messages.filter(({ seq }) => seq !== 2), changes: room.changes.slice(0, 2) }],
    ]);
    assert.deepEqual(found([], truth), ['log-gap rev', 'log-gap seq']);
  });

  test('poll-skip: left out between the page and what follows', () => {
    assert.deepEqual(found([client([session([page(0), ...told(2)])])], stored(2)), ['poll-skip seq', 'unseen seq']);
    assert.deepEqual(found([client([session([page(1), ...updated(2)])])], stored(1, 2)), ['poll-skip rev']);
  });

  test('poll-skip: left out of a catch-up', () => {
    const items = [page(1), page(4, { from: { seq: 1, rev: 0 }, messages: messages(2, 4) })];
    assert.deepEqual(found([client([session(items)])], stored(4)), ['poll-skip seq', 'unseen seq']);
    const short = [page(1), page(3, { from: { seq: 1, rev: 0 }, messages: messages(2) })];
    assert.deepEqual(found([client([session(short)])], stored(3)), ['poll-skip seq', 'unseen seq']);
  });

  test('poll-skip: a change left out of a catch-up', () => {
    const items = [page(1), page(1, { from: { seq: 1, rev: 0 }, head: { seq: 1, rev: 2 }, changed: [] })];
    assert.deepEqual(found([client([session(items)])], stored(1, 2)), ['poll-skip rev']);
  });

  test('duplicate: a catch-up begins before its cursor', () => {
    const items = [page(2), page(3, { from: { seq: 2, rev: 0 }, messages: messages(2, 3) })];
    assert.deepEqual(found([client([session(items)])], stored(3)), ['duplicate seq']);
  });

  test('int-poll-skip: left out in the middle', () => {
    assert.deepEqual(found([client([session([page(0), ...told(1, 3)])])], stored(3)), [
      'int-poll-skip seq',
      'unseen seq',
    ]);
    assert.deepEqual(found([client([session([page(1), ...updated(1, 3)])])], stored(1, 3)), ['int-poll-skip rev']);
  });

  test("int-poll-skip: left out as if it were the socket's own, but it is another's", () => {
    const items = [page(0), ...told(1, 3)];
    assert.ok(found([ann([session(items, { sends: [sent(1)] })])], stored(3)).includes('int-poll-skip seq'));
  });

  test('int-poll-skip: with echo an answer is no excuse', () => {
    const withEcho = ann([session([page(0), ...told(1, 3)], { sends: [sent(2)] })], { echo: true });
    assert.deepEqual(found([withEcho], stored(3)), ['int-poll-skip seq']);
  });

  test('nonmonotonic-poll: told in another order', () => {
    assert.deepEqual(found([client([session([page(0), ...told(1, 3, 2)])])], stored(3)), ['nonmonotonic-poll seq']);
    assert.deepEqual(found([client([session([page(1), ...updated(2, 1)])])], stored(1, 2)), ['nonmonotonic-poll rev']);
  });

  test('int-send-skip: sent in one go, stored in another order', () => {
    const sends = [sent(2, { burst: 1 }), sent(1, { burst: 1 })];
    assert.deepEqual(found([ann([session([page(0)], { sends })])], stored(2)), ['int-send-skip seq']);
  });

  test('nonmonotonic-send: sent later, stored earlier', () => {
    assert.deepEqual(found([ann([session([page(0)], { sends: [sent(2), sent(1)] })])], stored(2)), [
      'nonmonotonic-send seq',
    ]);
  });

  test('nonmonotonic-send counts also those that were stored and never answered', () => {
    const { answer: _, ...unanswered } = sent(1);
    const sends = [sent(2), unanswered];
    assert.deepEqual(found([ann([session([page(0)], { sends })])], stored(2)), ['nonmonotonic-send seq', 'unseen seq']);
  });

  test('precommitted-read: told, but not stored', () => {
    const items = [page(0), ...told(1, 2)];
    assert.deepEqual(found([client([session(items)])], stored(1)), ['precommitted-read seq']);
  });

  test('unseen: stored, and never told to one who hears the room', () => {
    assert.deepEqual(found([client([session([page(0), ...told(1)])])], stored(2)), ['unseen seq']);
    assert.deepEqual(found([client([session([page(1), ...updated(1)])])], stored(1, 2)), ['unseen rev']);
    assert.deepEqual(found([client([session([])])], stored(1)), ['unseen rev', 'unseen seq']);
  });

  test('unseen: a truncated page whose rest nobody read', () => {
    const items = [page(0), page(5, { from: { seq: 0, rev: 0 }, messages: messages(4, 5), truncated: true })];
    assert.deepEqual(found([client([session(items)])], stored(5)), ['unseen seq']);
  });

  test("own-repeat: one's own message as an answer and as an event", () => {
    const items = [page(0), ...told(1)];
    assert.deepEqual(found([ann([session(items, { sends: [sent(1)] })])], stored(1)), ['own-repeat seq']);
    const changes = [{ at: 0, roomId: ROOM, seq: 1, isFirst: true, answer: { ok: true, rev: 1 } } as const];
    const twice = session([page(1), ...updated(1)], { changes });
    assert.deepEqual(found([ann([twice])], stored(1, 1)), ['own-repeat rev']);
  });

  test('not-heard: told before a page, or after leaving', () => {
    assert.ok(found([client([session(told(1))])], stored(1)).includes('not-heard seq'));
    const left = client([session([page(0), ...told(1), { kind: 'left' }, ...told(2)])], { rooms: [] });
    assert.deepEqual(found([left], stored(2)), ['not-heard seq']);
  });

  test('failed-send: no success after all retries', () => {
    const unanswered = [{ roomId: ROOM, clientMsgId: 'ann-9', why: 'MUTED' }];
    assert.deepEqual(found([ann([session([page(0)])], { unanswered })], stored(0)), ['failed-send seq']);
  });
});
