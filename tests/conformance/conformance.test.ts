import { eventually, expectNoLeaks, type Owner } from '@parley/test-support';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startHaproxy } from './haproxy.ts';
import { startPlatformServer, type PlatformServer } from './platform-server.ts';
import { openRawSession, pollingUrl, type RawSession } from './raw-session.ts';

// The essentials of the public suites (README.md) and what they do not look at: several replicas, bursts, ends.

/** Nothing here is about heartbeats, and none may come in between. */
const HEARTBEAT = { pingIntervalMs: 60_000, pingTimeoutMs: 60_000 };
const REPLICAS = ['gateway1', 'gateway2', 'gateway3'];

describe('the socket platform behind HAProxy', () => {
  let url: string;
  const servers = new Map<string, PlatformServer>();

  const closers: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (close) => void closers.push(close) };

  before(async () => {
    expectNoLeaks(owner);
    for (const name of REPLICAS) {
      // HAProxy's name for it is the one that counts.
      const server = await startPlatformServer({ name: 'unnamed', ...HEARTBEAT });
      owner.after(() => server.close());
      servers.set(name, server);
    }
    const gateways = [...servers].map(([name, { port }]) => ({ name, port }));
    ({ url } = await startHaproxy({ owner, gateways }));
  });
  after(async () => {
    for (const close of closers.toReversed()) await close();
  });

  /** A session that has joined. */
  async function join(): Promise<RawSession> {
    const session = await openRawSession(url);
    await session.post('40');
    const [joined, auth] = (await session.pollUntil(2)).flat();
    assert.match(joined ?? '', /^40\{"sid":"/);
    assert.equal(auth, '42["auth",{}]');
    return session;
  }

  async function joinEveryReplica(): Promise<RawSession[]> {
    const sessions: RawSession[] = [];
    while (new Set(sessions.map((session) => session.replica)).size < REPLICAS.length) {
      assert.ok(sessions.length < 30, 'HAProxy does not spread new sessions over all replicas');
      sessions.push(await join());
    }
    return sessions;
  }

  /** The socket of a session, at its server. */
  function serverSocketOf({ sid, replica }: RawSession) {
    const sockets = servers.get(replica)?.sockets.io.of('/').sockets.values() ?? [];
    const found = [...sockets].find((socket) => (socket.conn as unknown as { id: string }).id === sid);
    assert.ok(found, `${replica} does not know its session`);
    return found;
  }

  test('sessions are spread, named after their replica, and stay there without cookies', async () => {
    const sessions = await joinEveryReplica();
    const names = new Set(sessions.map((session) => session.replica));
    assert.deepEqual([...names].sort(), REPLICAS);
    await Promise.all(
      sessions.map(async (session, i) => {
        for (const round of [1, 2, 3]) {
          await session.post(`42${round}["message-with-ack",${i}]`);
          assert.deepEqual(await session.poll(), [`43${round}[${i}]`]);
        }
        assert.ok(serverSocketOf(session));
      }),
    );
  });

  test('a session id of nobody, or of another replica, is HTTP 400', async () => {
    const { sid, replica } = await join();
    const [, random = ''] = sid.split('.');
    const other = REPLICAS.find((name) => name !== replica);
    for (const foreign of [`${other}.${random}`, `nobody.${random}`, random, 'x', `${sid}x`]) {
      const response = await fetch(pollingUrl(url, foreign));
      assert.equal(response.status, 400, foreign);
      assert.equal(((await response.json()) as { message: string }).message, 'Session ID unknown');
    }
  });

  test('a client does not name its replica', async () => {
    const session = await openRawSession(url, { headers: { 'X-Gateway': 'evil' } });
    assert.ok(REPLICAS.includes(session.replica), session.sid);
    await session.post('40');
    await session.pollUntil(2);
  });

  test('every replica upgrades its own sessions', async (t) => {
    for (const session of await joinEveryReplica()) {
      const upgrade = await session.probe(t);
      assert.deepEqual(await session.poll(), ['6']);
      upgrade.complete();
      upgrade.send('42["message","after"]');
      await eventually(() => assert.deepEqual(upgrade.frames, ['42["message-back","after"]']));
      await assert.rejects(session.poll(), /HTTP 400/);
    }
  });

  test('a burst over long-polling comes in order, at most 16 packets in an answer', async () => {
    const session = await join();
    await session.post(...requests(0, 60));
    const answers = await session.pollUntil(60);
    assert.deepEqual(answers.flat(), replies(0, 60));
    assert.deepEqual(
      answers.map((packets) => packets.length),
      [16, 16, 16, 12],
    );
  });

  test('a close with a full buffer sends all of it first, with DISCONNECT or without', async () => {
    for (const toldToStay of [true, false]) {
      const session = await join();
      const socket = serverSocketOf(session);
      await session.post(...requests(0, 40));
      await eventually(() => assert.equal(bufferedBy(socket), 40));
      if (toldToStay) socket.disconnect(true);
      else socket.conn.close();
      const expected = [...replies(0, 40), ...(toldToStay ? ['41'] : []), '6', '1'];
      assert.deepEqual((await session.pollUntil(expected.length)).flat(), expected);
      await assert.rejects(session.poll(), /HTTP 400/);
    }
  });

  test('an upgrade with a full buffer loses, repeats and reorders nothing', async (t) => {
    const session = await join();
    await session.post(...requests(0, 60));
    const first = await session.poll();
    const upgrade = await session.probe(t);
    const second = await session.poll();
    upgrade.complete();
    upgrade.send(requests(60, 61)[0] as string);
    await eventually(() => assert.equal(upgrade.frames.length, 29));
    assert.deepEqual([...first, ...second, ...upgrade.frames], replies(0, 61));
  });

  test('a WebSocket from the start stays with one replica', async (t) => {
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/socket.io/?EIO=4&transport=websocket`);
    t.after(() => socket.close());
    const frames: string[] = [];
    socket.addEventListener('message', ({ data }: { data: string }) => frames.push(data));
    await eventually(() => assert.equal(frames.length, 1));
    socket.send('40/custom,{"token":"abc"}');
    await eventually(() => assert.equal(frames.at(2), '42/custom,["auth",{"token":"abc"}]'));
  });

  test('bare Engine.IO echoes text and bytes', async () => {
    const session = await openRawSession(url, { path: '/engine.io/' });
    await session.post('4hello', 'bAQIDBA==');
    assert.deepEqual((await session.pollUntil(2)).flat(), ['4hello', 'bAQIDBA==']);
  });
});

function requests(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `42["message",${from + i}]`);
}

function replies(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `42["message-back",${from + i}]`);
}

function bufferedBy(socket: { conn: object }): number {
  return (socket.conn as { writeBuffer: unknown[] }).writeBuffer.length;
}
