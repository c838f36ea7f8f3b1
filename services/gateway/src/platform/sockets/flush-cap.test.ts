import { eventually, type Owner } from '@parley/test-support';
import type { Server as Engine, Socket } from 'engine.io';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_PACKETS_PER_POLL } from './flush-cap.ts';
import { createEngine } from './server.ts';
import { serveEngine } from './testing/serve.ts';

// Long-polling by hand, so that every answer is seen as it is on the wire.

const SEPARATOR = '\u001E';
const PING = '2';

interface Session {
  /** The server's side. */
  readonly socket: Socket;
  readonly url: string;
  /** The packets of the next answer. */
  poll(): Promise<string[]>;
  /** The packets of that many answers. */
  polls(count: number): Promise<string[][]>;
  post(body: string): Promise<void>;
}

test('a burst comes in answers of at most 16 packets, in order, each once', async (t) => {
  const session = await openSession(t);
  send(session, messages(0, 60));
  assert.deepEqual(await session.polls(4), [
    onWire(messages(0, 16)),
    onWire(messages(16, 32)),
    onWire(messages(32, 48)),
    onWire(messages(48, 60)),
  ]);
});

test('16 packets are one answer, 17 are two', async (t) => {
  const session = await openSession(t);
  send(session, messages(0, MAX_PACKETS_PER_POLL));
  assert.deepEqual(await session.poll(), onWire(messages(0, 16)));
  send(session, messages(16, 33));
  assert.deepEqual(await session.polls(2), [onWire(messages(16, 32)), onWire(messages(32, 33))]);
});

test('what is sent while a backlog waits comes after it', async (t) => {
  const session = await openSession(t);
  send(session, messages(0, 20));
  assert.deepEqual(await session.poll(), onWire(messages(0, 16)));
  send(session, messages(20, 50));
  assert.deepEqual((await session.polls(3)).flat(), onWire(messages(16, 50)));
});

test('a poll that waits is answered at once, with what there is', async (t) => {
  const session = await openSession(t);
  const poll = session.poll();
  await waits(session);
  send(session, messages(0, 40));
  assert.deepEqual(await poll, onWire(messages(0, 1)));
  assert.deepEqual((await session.polls(3)).flat(), onWire(messages(1, 40)));
});

test('binary packets count and stay in their place', async (t) => {
  const session = await openSession(t);
  for (let i = 0; i < 20; i += 1) {
    session.socket.send(`text ${i}`);
    session.socket.send(Buffer.from([i]));
  }
  const answers = await session.polls(3);
  assert.deepEqual(
    answers.map((answer) => answer.length),
    [16, 16, 8],
  );
  const expected = Array.from({ length: 20 }, (_, i) => [`4text ${i}`, `b${Buffer.from([i]).toString('base64')}`]);
  assert.deepEqual(answers.flat(), expected.flat());
});

test('callbacks of a burst are called once each, when all of it is sent', async (t) => {
  const session = await openSession(t);
  let called = 0;
  for (const message of messages(0, 20)) {
    session.socket.send(message, {}, () => {
      called += 1;
    });
  }
  await session.poll();
  assert.equal(called, 0);
  await session.poll();
  assert.equal(called, 20);
});

test('the events tell the parts, and that the buffer is empty only when it is', async (t) => {
  const session = await openSession(t);
  const told: unknown[] = [];
  session.socket.on('flush', (packets: unknown[]) => told.push(packets.length));
  session.socket.on('drain', () => told.push('drain'));
  send(session, messages(0, 40));
  await session.polls(3);
  assert.deepEqual(told, [16, 16, 8, 'drain']);
});

test('an orderly close sends all of a full buffer first', async (t) => {
  const session = await openSession(t);
  const closed = once(session.socket, 'close');
  send(session, messages(0, 60));
  session.socket.close();
  session.socket.send('too late');
  const answers = await session.polls(5);
  assert.deepEqual(answers.slice(0, 4).flat(), onWire(messages(0, 60)));
  assert.deepEqual(answers[4], ['6', '1']);
  assert.equal((await closed)[0], 'forced close');
  await assert.rejects(session.poll(), /400/);
});

test('a close that discards does not wait for the buffer', async (t) => {
  const session = await openSession(t);
  send(session, messages(0, 60));
  session.socket.close(true);
  assert.equal(session.socket.readyState, 'closed');
  await assert.rejects(session.poll(), /400/);
});

test('an upgrade takes the rest of a full buffer to the WebSocket, in order', async (t) => {
  const session = await openSession(t);
  send(session, messages(0, 60));
  assert.deepEqual(await session.poll(), onWire(messages(0, 16)));
  const upgrade = await probe(t, session);
  // Between the probe and the upgrade a client still polls.
  assert.deepEqual(await session.poll(), onWire(messages(16, 32)));
  upgrade.socket.send('5');
  await eventually(() => assert.deepEqual(upgrade.frames, onWire(messages(32, 60))));
  session.socket.send('over WebSocket');
  await eventually(() => assert.equal(upgrade.frames.at(28), '4over WebSocket'));
  await assert.rejects(session.poll(), /400/);
});

test('an upgrade of a closing session sends the rest and closes', async (t) => {
  const session = await openSession(t);
  send(session, messages(0, 60));
  const upgrade = await probe(t, session);
  const closed = once(session.socket, 'close');
  session.socket.close();
  upgrade.socket.send('5');
  await upgrade.closed;
  assert.deepEqual(upgrade.frames, onWire(messages(0, 60)));
  assert.equal((await closed)[0], 'forced close');
});

test('heartbeats go on while a backlog is fetched', async (t) => {
  const session = await openSession(t, { pingIntervalMs: 50, pingTimeoutMs: 5_000 });
  const heartbeats: true[] = [];
  session.socket.on('heartbeat', () => heartbeats.push(true));
  send(session, messages(0, 200));
  const received: string[] = [];
  while (heartbeats.length < 3 || received.length < 200) {
    for (const packet of await session.poll()) {
      if (packet === PING) await session.post('3');
      else received.push(packet);
    }
  }
  assert.deepEqual(received, onWire(messages(0, 200)));
});

test('a ping overtakes a backlog', async (t) => {
  const session = await openSession(t, { pingIntervalMs: 50, pingTimeoutMs: 60_000 });
  send(session, messages(0, 100));
  await once(session.socket, 'packetCreate'); // the ping
  const answers = await session.polls(7);
  assert.deepEqual(answers[0], [PING, ...onWire(messages(0, 15))]);
  assert.deepEqual(answers.flat().slice(1), onWire(messages(0, 100)));
});

test('a close waits for a client that is still fetching, longer than a heartbeat', async (t) => {
  const session = await openSession(t, { pingIntervalMs: 100, pingTimeoutMs: 400 });
  const backlog = messages(0, 50 * MAX_PACKETS_PER_POLL);
  send(session, backlog);
  session.socket.close();
  const received: string[] = [];
  // As long as a client of 20 ms away needs: twice the time in which a silent one would be given up.
  while (received.length < backlog.length) {
    await delay(20);
    received.push(...(await session.poll()));
  }
  assert.deepEqual(received, onWire(backlog));
  assert.deepEqual(await session.poll(), ['6', '1']);
});

interface Heartbeat {
  pingIntervalMs: number;
  pingTimeoutMs: number;
}

const SLOW: Heartbeat = { pingIntervalMs: 60_000, pingTimeoutMs: 60_000 };

async function openSession(owner: Owner, heartbeat: Heartbeat = SLOW): Promise<Session> {
  const { engine, url } = await startEngine(owner, heartbeat);
  const connected = once(engine, 'connection');
  const [open = ''] = await packetsOf(await fetch(url));
  const { sid } = JSON.parse(open.slice(1)) as { sid: string };
  const [socket] = (await connected) as [Socket];
  const sessionUrl = `${url}&sid=${sid}`;
  const poll = async () => packetsOf(await fetch(sessionUrl));
  return {
    socket,
    url: sessionUrl,
    poll,
    async polls(count) {
      const answers: string[][] = [];
      while (answers.length < count) answers.push(await poll());
      return answers;
    },
    async post(body) {
      await packetsOf(await fetch(sessionUrl, { method: 'POST', body }));
    },
  };
}

async function startEngine(owner: Owner, heartbeat: Heartbeat): Promise<{ engine: Engine; url: string }> {
  const engine = createEngine({ ...heartbeat, name: 'test', maxFrameBytes: 1_000_000 });
  const { port } = await serveEngine(owner, engine);
  return { engine, url: `http://127.0.0.1:${port}/engine.io/?EIO=4&transport=polling` };
}

async function packetsOf(response: Response): Promise<string[]> {
  const body = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${body}`);
  return body.split(SEPARATOR);
}

/** The server has the poll and holds it. */
async function waits({ socket }: Session): Promise<void> {
  await eventually(() => assert.ok(socket.transport.writable));
}

interface Upgrade {
  readonly socket: WebSocket;
  /** What came since the server's answer to the probe. */
  readonly frames: readonly string[];
  readonly closed: Promise<unknown>;
}

/** Opens the WebSocket beside the polling session and lets the server know that it works. */
async function probe(owner: Owner, { url }: Session): Promise<Upgrade> {
  const socket = new WebSocket(url.replace('http:', 'ws:').replace('polling', 'websocket'));
  owner.after(async () => socket.close());
  const frames: string[] = [];
  socket.addEventListener('message', ({ data }: { data: string }) => frames.push(data));
  const closed = once(socket, 'close');
  await once(socket, 'open');
  socket.send('2probe');
  await eventually(() => assert.deepEqual(frames, ['3probe']));
  frames.pop();
  return { socket, frames, closed };
}

function messages(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `message ${from + i}`);
}

function onWire(texts: string[]): string[] {
  return texts.map((text) => `4${text}`);
}

function send({ socket }: Session, texts: string[]): void {
  for (const text of texts) socket.send(text);
}
