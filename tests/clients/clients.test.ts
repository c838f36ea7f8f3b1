import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { limits, type CommandOutput, type roomJoin } from '@parley/protocol';
import { eventually } from '@parley/test-support';
import { startCluster, type Cluster } from '../../deploy/local/cluster.ts';
import { inReverse, makeDataDir } from '../cluster/launcher-process.ts';
import { connect, type Client } from '../support/client.ts';
import { SECRET } from '../support/environment.ts';
import { inSeconds, token } from '../support/tokens.ts';
import { Chatter } from './chatter.ts';
import { javascriptLibraries } from './javascript.ts';
import { MODES, type Library, type Mode } from './library.ts';
import { preparePython } from './python-environment.ts';
import { startPythonLibraries } from './python.ts';

// Real client libraries against a real cluster: `npm start` with two gateways.

const NAMES = [...javascriptLibraries.map(({ name }) => name), 'python-socketio, asyncio', 'python-socketio, threads'];
const COMBINATIONS = NAMES.flatMap((name) => MODES.map((mode) => ({ name, mode })));
const BURST = 60;
/** How long a client that has to stay away is watched: several times as long as it would take to come back. */
const WATCH_MS = 1_000;
/** Of one attempt: a request that was under way when the connection broke is never answered. */
const JOIN_TIMEOUT_MS = 2_000;

interface Combination {
  name: string;
  mode: Mode;
}

describe('client libraries', () => {
  const owner = inReverse({ after });
  const libraries = new Map<string, Library>(javascriptLibraries.map((library) => [library.name, library]));
  let cluster: Cluster;
  let pythonIsMissing: string | undefined;

  before(async () => {
    const dataDir = await makeDataDir(owner);
    const rates = Object.keys(limits).filter((name) => name.startsWith('RATE_') || name === 'MUTE_AFTER');
    const off = Object.fromEntries(rates.map((name) => [name, 'off']));
    const env = { ...process.env, ...off, JWT_SECRET: SECRET, DRAIN_MS: '1000' };
    const [python] = await Promise.all([
      preparePython(),
      startCluster({ dataDir, host: '127.0.0.1', replicas: 2, env }).then((started) => {
        cluster = started;
        owner.after(() => cluster.stop());
      }),
    ]);
    if ('missing' in python) pythonIsMissing = python.missing;
    else for (const library of startPythonLibraries(owner, python.python)) libraries.set(library.name, library);
  });

  async function openChatter(t: TestContext, { name, mode }: Combination, claims = {}): Promise<Chatter> {
    const library = libraries.get(name);
    assert.ok(library, `${name} can't be used here`);
    return Chatter.open(t, { library, mode, url: cluster.url, token: await token(randomUUID(), claims) });
  }

  function gatewayCalled(name: string) {
    const found = cluster.info.gateways.find((gateway) => gateway.name === name);
    assert.ok(found, `there is no ${name}`);
    return found;
  }

  const urlOf = (gatewayName: string) => `http://127.0.0.1:${gatewayCalled(gatewayName).port}`;

  /** A speaker who is connected to that gateway itself. */
  function speakerAt(t: TestContext, gatewayName: string): Promise<Client> {
    return connect(t, { url: urlOf(gatewayName) }, randomUUID(), { reconnection: true });
  }

  const otherThan = (name: string) => (name === 'gateway1' ? 'gateway2' : 'gateway1');

  for (const combination of COMBINATIONS) {
    const { name, mode } = combination;
    test(`${name} talks over ${mode}`, async (t) => {
      if (!libraries.has(name)) return t.skip(pythonIsMissing);
      const chatter = await openChatter(t, combination);
      await chatter.hears('session:ready');
      const speaker = await speakerAt(t, otherThan(await chatter.gateway()));
      const { room } = await speaker.ok('room:create', { name: roomName() });

      const joined = await chatter.ok('room:join', { roomId: room.id });
      assert.deepEqual([joined.room.headSeq, joined.messages, joined.truncated], [0, [], false]);

      const content = 'Grüße, 世界 👋\n"\\';
      const sent = await chatter.ok('message:send', { roomId: room.id, content, clientMsgId: randomUUID() });
      assert.deepEqual([sent.duplicate, sent.message.seq, sent.message.content], [false, 1, content]);
      await speaker.waitFor('message:new', (message) => message.content === content);

      await speaker.send(room.id, content);
      await chatter.hears('message:new');
      assert.deepEqual(
        chatter.all('message:new').map((message) => [message.seq, message.content]),
        [[2, content]],
      );

      // More than a long-polling answer holds. The speaker sends them in one go, so their order is known.
      const burst = Array.from({ length: BURST }, (_, i) => `burst ${i}`);
      await Promise.all(burst.map((text) => speaker.send(room.id, text)));
      await chatter.hears('message:new', 1 + BURST);
      const heard = chatter.all('message:new').slice(1);
      if (!chatter.library.keepsOrder) heard.sort((one, other) => one.seq - other.seq);
      assert.deepEqual(
        heard.map((message) => [message.seq, message.content]),
        burst.map((text, i) => [i + 3, text]),
      );

      const { messages, hasMore } = await chatter.ok('message:history', { roomId: room.id, limit: 100 });
      assert.deepEqual(
        messages.map((message) => message.content),
        [content, content, ...burst],
      );
      assert.equal(hasMore, false);

      await chatter.refused('message:send', { roomId: room.id }, 'VALIDATION_ERROR');
      await chatter.refused('message:history', { roomId: randomRoomId() }, 'NOT_FOUND');
      await chatter.refused('no:such:event', {}, 'UNKNOWN_EVENT');

      await eventually(async () => {
        const { transport } = await chatter.client.connection();
        assert.equal(transport, mode === 'polling' ? 'polling' : 'websocket');
      });
      assert.deepEqual([chatter.count('connect'), chatter.count('disconnect')], [1, 0]);
    });
  }

  describe('a session ends with its token', { concurrency: true }, () => {
    for (const combination of COMBINATIONS) {
      const { name, mode } = combination;
      test(`${name} over ${mode} is told, and stays away`, async (t) => {
        if (!libraries.has(name)) return t.skip(pythonIsMissing);
        const chatter = await openChatter(t, combination, { exp: inSeconds(3) });
        await chatter.hears('session:ready');
        await chatter.hears('session:expiring');
        await chatter.hears('session:ended');
        const [ended] = chatter.all('session:ended');
        assert.deepEqual([ended?.code, ended?.reconnect], ['TOKEN_EXPIRED', false]);
        await chatter.hears('disconnect');
        await delay(WATCH_MS);
        assert.deepEqual(
          [chatter.count('connect'), chatter.count('disconnect'), chatter.count('connect_error')],
          [1, 1, 0],
          chatter.summary(),
        );

        const again = await openChatter(t, combination, { exp: inSeconds(-1) });
        const error = (await again.hears('connect_error')) as { message: string; data: { code: string } };
        assert.deepEqual([error.message, error.data.code], ['TOKEN_EXPIRED', 'TOKEN_EXPIRED']);
      });
    }
  });

  test('all come back, with everything, after their gateway drained or was killed', async (t) => {
    const speakers = new Map<string, Client>();
    for (const { name } of cluster.info.gateways) speakers.set(name, await speakerAt(t, name));
    const speaker = (name: string) => speakers.get(name) as Client;
    const listeners: Listener[] = [];
    for (const combination of COMBINATIONS) {
      if (!libraries.has(combination.name)) continue;
      const chatter = await openChatter(t, combination);
      const { room } = await speaker('gateway1').ok('room:create', { name: roomName() });
      await speaker('gateway2').ok('room:join', { roomId: room.id });
      await chatter.hears('session:ready');
      const listener = new Listener(chatter, room.id);
      await listener.join();
      listeners.push(listener);
    }
    async function sayEverywhere(survivor: string, content: string): Promise<void> {
      await Promise.all(listeners.map(({ roomId }) => speaker(survivor).send(roomId, content)));
    }

    // Everybody is at one of the two and stays there until it is hit, so each pair hits everybody.
    let head = 0;
    for (const [name, signal] of [
      ['gateway1', 'SIGTERM'],
      ['gateway2', 'SIGTERM'],
      ['gateway1', 'SIGKILL'],
      ['gateway2', 'SIGKILL'],
    ] as const) {
      const survivor = otherThan(name);
      const hit: Listener[] = [];
      for (const listener of listeners) if ((await listener.chatter.gateway()) === name) hit.push(listener);
      const before = new Map(hit.map((listener) => [listener, listener.chatter.count('connect')]));
      const { pid } = gatewayCalled(name);
      process.kill(pid, signal);
      await sayEverywhere(survivor, 'while some are away');
      await eventually(() => assert.notEqual(gatewayCalled(name).pid, pid));
      await eventually(async () => {
        const { status } = await fetch(`${urlOf(name)}/health/ready`);
        assert.equal(status, 200);
      });
      await Promise.all(hit.map((listener) => listener.comesBack(before.get(listener) ?? 0)));
      if (signal === 'SIGTERM') {
        for (const { chatter } of hit) assert.equal(chatter.all('session:ended').at(-1)?.code, 'SERVER_DRAIN');
      }
      await sayEverywhere(survivor, 'when all are back');
      head += 2;
      await Promise.all(listeners.map((listener) => listener.hasAllUpTo(head)));
      await eventually(() => assert.ok(speaker(name).socket.connected));
    }
  });
});

/** A client that hears one room, and all that reached it of that room. */
class Listener {
  readonly chatter: Chatter;
  readonly roomId: string;
  /** From the answers of `room:join`. */
  readonly #fetched: number[] = [];

  constructor(chatter: Chatter, roomId: string) {
    this.chatter = chatter;
    this.roomId = roomId;
  }

  get #seqs(): number[] {
    return [...this.#fetched, ...this.chatter.all('message:new').map(({ seq }) => seq)].sort((a, b) => a - b);
  }

  /** As a client does after every connection: joins from where it stands. */
  async join(): Promise<void> {
    const cursor = { seq: Math.max(0, ...this.#seqs) };
    const ack = await this.chatter.request('room:join', { roomId: this.roomId, cursor }, JOIN_TIMEOUT_MS);
    assert.ok(ack.ok, JSON.stringify(ack));
    const { messages, truncated } = ack.data as CommandOutput<typeof roomJoin>;
    assert.equal(truncated, false);
    // The old stream goes on until the answer; what it brought meanwhile is in the answer too.
    const known = new Set(this.#seqs);
    this.#fetched.push(...messages.flatMap(({ seq }) => (known.has(seq) ? [] : seq)));
  }

  /** Waits for a new connection, and joins. */
  async comesBack(connectsBefore: number): Promise<void> {
    await eventually(
      async () => {
        const connects = this.chatter.count('connect');
        assert.ok(connects > connectsBefore, this.chatter.summary());
        await this.join();
        assert.equal(this.chatter.count('connect'), connects, 'it lost the connection again');
      },
      { timeoutMs: 20_000, message: `${this.chatter.library.name} over ${this.chatter.mode} comes back` },
    );
  }

  /** Waits until it has everything up to `head`, and holds it to "no gap, no repeat". */
  async hasAllUpTo(head: number): Promise<void> {
    const all = Array.from({ length: head }, (_, i) => i + 1);
    await eventually(() => assert.deepEqual(this.#seqs, all, this.chatter.summary()));
  }
}

function roomName(): string {
  return `Room ${randomUUID()}`;
}

/** Of the right shape, and nobody's. */
function randomRoomId(): string {
  return `01890000-0000-7000-8000-${randomUUID().slice(-12)}`;
}
