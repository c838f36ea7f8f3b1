import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect as connectTo } from 'node:net';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ack, Message } from '@parley/protocol';
import { collect, eventually, startRedis } from '@parley/test-support';
import { Redis } from 'ioredis';
import { connect, type Client } from '../support/client.ts';
import type { Environment } from '../support/environment.ts';
import { startGateways, type TestGateway } from '../support/gateways.ts';
import { call, errorOf, http } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 8, and section 7, guarantees 4 and 9: the rates over three gateways, what they cost Redis, and what is
// left of them without it. The Redis is the file's own, so that it can be watched, stopped and killed.

const server = await startRedis();
const gateways = await startGateways({ after }, 0, { REDIS_URL: server.url });
after(() => server.remove());
const redis = new Redis(server.url);
redis.on('error', () => {});
after(() => redis.disconnect());
let prefixes = 0;

async function start(count: number, env: Environment): Promise<TestGateway[]> {
  const prefix = `limits${(prefixes += 1)}`;
  return Promise.all(Array.from({ length: count }, () => gateways.start({ REDIS_PREFIX: prefix, ...env })));
}

async function stop(started: readonly TestGateway[]): Promise<void> {
  await Promise.all(started.map((gateway) => gateway.stop()));
}

/** Until `server.start()`, or the end of the test. */
async function killRedis(t: TestContext): Promise<void> {
  t.after(() => server.pid ?? server.start());
  await server.stop('SIGKILL');
}

/** A room, and a socket of ana's at each gateway. */
async function anas(t: TestContext, started: readonly TestGateway[]): Promise<{ roomId: string; sockets: Client[] }> {
  const sockets = await Promise.all(started.map((gateway) => connect(t, gateway, 'ana')));
  const { room } = await (sockets[0] as Client).ok('room:create', { name: randomUUID().slice(0, 30) });
  return { roomId: room.id, sockets };
}

function send(client: Client, roomId: string, content = 'x'): Promise<Ack<unknown>> {
  return client.request('message:send', { roomId, content, clientMsgId: randomUUID() });
}

/** A thousand sends at once, in turn by each socket; how many passed by each. */
async function flood(sockets: readonly Client[], roomId: string): Promise<number[]> {
  const passed = sockets.map(() => 0);
  const all = Array.from({ length: 1_000 }, async (_, index) => {
    const by = index % sockets.length;
    const ack = await send(sockets[by] as Client, roomId);
    if (ack.ok) passed[by] = (passed[by] as number) + 1;
    else assert.match(ack.error.code, /RATE_LIMITED|MUTED/);
  });
  await Promise.all(all);
  return passed;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/**
 * The scripts that were run on behalf of rates while something was done. By MONITOR on a bare connection: ioredis loses count
 * of its replies when the first line comes together with the OK.
 */
async function scriptsDuring(t: TestContext, work: () => Promise<void>): Promise<number> {
  const socket = connectTo(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (more: string) => (text += more));
  socket.write('MONITOR\r\n');
  await eventually(() => assert.match(text, /^\+OK/));
  await work();
  await redis.echo('over');
  await eventually(() => assert.match(text, /"echo" "over"/));
  return text.match(/^\+\S+ \[0 127\S+\] "eval(sha)?" .*:rate:\{/gm)?.length ?? 0;
}

describe('a thousand sends in a second, of one user over three gateways', () => {
  for (const [what, env, most] of [
    ['the room’s exact window', { RATE_MESSAGES_ROOM: '50/1h' }, 50],
    ['the room’s compact window', { RATE_MESSAGES_ROOM: '300/1h' }, 300],
    ['the user’s window', { RATE_MESSAGES_USER: '20/1h', RATE_MESSAGES_ROOM: '100/1h' }, 20],
  ] as const) {
    test(`${what}: exactly as many pass as it allows`, async (t) => {
      const started = await start(3, env);
      const { roomId, sockets } = await anas(t, started);
      const passed = await flood(sockets, roomId);
      t.diagnostic(`${sum(passed)} of 1000 passed, by gateway: ${passed.join(', ')}`);
      assert.equal(sum(passed), most);
      const { messages } = await (sockets[0] as Client).ok('message:history', { roomId, limit: 1 });
      assert.equal(messages[0]?.seq, most);
      const keys = await redis.keys(`limits${prefixes}:rate:*`); // a Redis of a handful of keys
      for (const key of keys) t.diagnostic(`${key}: ${await redis.memory('USAGE', key)} bytes`);
      for (const key of keys) assert.ok((await redis.pttl(key)) > 0, `${key} has no TTL`);
      await stop(started);
    });
  }
});

describe('what the rates cost Redis', () => {
  test('one script a send', async (t) => {
    const started = await start(1, { RATE_MESSAGES_ROOM: '10/5s', RATE_MESSAGES_USER: '200/1s', MUTE_AFTER: '3/60s' });
    const { roomId, sockets } = await anas(t, started);
    const scripts = await scriptsDuring(t, async () => {
      for (let index = 0; index < 8; index += 1) await send(sockets[0] as Client, roomId);
    });
    assert.equal(scripts, 8);
    await stop(started);
  });

  for (const [what, env, most] of [
    ['a flood that is muted', { MUTE_AFTER: '3/60s' }, 10 + 3 + 2 * 32],
    ['a flood that is only refused', {}, 10 + 2 * 32],
  ] as const) {
    test(`${what} never reaches it: of a thousand sends at once a few dozen do, of those after them none`, async (t) => {
      const started = await start(1, { RATE_MESSAGES_ROOM: '10/1h', ...env });
      const { roomId, sockets } = await anas(t, started);
      const first = await scriptsDuring(t, async () => {
        assert.equal(sum(await flood(sockets, roomId)), 10);
      });
      assert.ok(first <= most, `${first} scripts for a thousand sends`);
      const then = await scriptsDuring(t, async () => {
        assert.equal(sum(await flood(sockets, roomId)), 0);
      });
      t.diagnostic(`${first} scripts for the first thousand sends, ${then} for the second`);
      assert.equal(then, 0);
      const { text } = await http({ url: (started[0] as TestGateway).metricsUrl }, '/metrics');
      const local = /^parley_rate_limited_total\{limit="\w+",where="local"\} (\d+)$/m.exec(text)?.[1];
      assert.match(text, new RegExp(`^parley_muted_total ${'MUTE_AFTER' in env ? 1 : 0}$`, 'm'));
      assert.ok(Number(local) >= 1_990 - first, `${local} were refused without Redis`);
      await stop(started);
    });
  }
});

describe('a Redis that hangs', () => {
  test('is waited for once; sends of a socket keep their order however each is decided', async (t) => {
    const started = await start(1, { RATE_MESSAGES_ROOM: '1000/1h' });
    const { roomId, sockets } = await anas(t, started);
    const [ana] = sockets as [Client];
    await send(ana, roomId, 'before');
    t.after(() => process.kill(server.pid as number, 'SIGCONT'));
    process.kill(server.pid as number, 'SIGSTOP');
    const sent = ['before'];
    const acks: Promise<Ack<unknown>>[] = [];
    // Past the pause of the circuit one send tries Redis again and waits; those behind it are decided at once.
    for (let index = 0; index < 120; index += 1) {
      sent.push(`${index}`);
      acks.push(send(ana, roomId, `${index}`));
      await delay(25);
    }
    const outcomes = await Promise.all(acks);
    assert.ok(outcomes.every(({ ok }) => ok));
    process.kill(server.pid as number, 'SIGCONT');
    const messages: Message[] = [];
    for (let more = true; more;) {
      const page = await ana.ok('message:history', { roomId, after: messages.at(-1)?.seq ?? 0, limit: 100 });
      messages.push(...page.messages);
      more = page.hasMore;
    }
    assert.deepEqual(
      messages.map(({ content }) => content),
      sent,
    );
    await stop(started);
  });
});

describe('Redis away', () => {
  test('each gateway counts for itself, from what it has let pass before; over all again when Redis is back', async (t) => {
    const started = await start(3, { RATE_MESSAGES_ROOM: '50/1h', RATE_ABUSE: '2000/1h' });
    const { roomId, sockets } = await anas(t, started);
    for (let index = 0; index < 10; index += 1) await send(sockets[0] as Client, roomId);
    await killRedis(t);
    const passed = await flood(sockets, roomId);
    t.diagnostic(`without Redis ${passed.join(', ')} of 1000 passed at the three gateways, after 10 at the first`);
    assert.deepEqual(passed, [40, 50, 50]);
    await server.start();
    // The gateways ask Redis again, which has forgotten all; what they know themselves still holds.
    for (const [index, gateway] of started.entries()) {
      const userId = `ben${index}`;
      const ben = await connect(t, gateway, userId);
      await eventually(() => ben.ok('room:join', { roomId }));
      await eventually(async () => {
        await send(ben, roomId);
        assert.equal((await redis.keys(`limits${prefixes}:rate:{${userId}}:room:*`)).length, 1);
      });
    }
    assert.equal(sum(await flood(sockets, roomId)), 0);
    await stop(started);
  });

  test('attempts to log in, joins and new rooms are counted by the gateway', async (t) => {
    const env = { RATE_AUTH: '2/1h', RATE_JOIN: '2/1h', RATE_ROOM_CREATE: '2/1h', RATE_REST: '5/1h' };
    const [gateway] = (await start(1, env)) as [TestGateway];
    const { roomId, sockets } = await anas(t, [gateway]);
    const [ana] = sockets as [Client];
    await ana.ok('room:join', { roomId });
    await killRedis(t);
    const login = () => call(gateway, 'authLogin', { body: { username: 'nobody', password: 'wrong horse' } });
    for (const code of ['UNAUTHORIZED', 'UNAUTHORIZED', 'RATE_LIMITED'] as const) errorOf(await login(), code);
    await ana.ok('room:join', { roomId });
    await ana.refused('room:join', { roomId }, 'RATE_LIMITED');
    await ana.ok('room:create', { name: randomUUID().slice(0, 30) });
    await ana.refused('room:create', { name: randomUUID().slice(0, 30) }, 'RATE_LIMITED');
    const bearer = { token: await token('ana') };
    for (let index = 0; index < 5; index += 1) assert.equal((await call(gateway, 'meGet', bearer)).status, 200);
    errorOf(await call(gateway, 'meGet', bearer), 'RATE_LIMITED');
    await server.start();
    await stop([gateway]);
  });

  test('mutes and the end of a session work without it', async (t) => {
    const [gateway] = (await start(1, {
      RATE_MESSAGES_ROOM: '2/1h',
      MUTE_AFTER: '2/1h',
      MUTE_FOR: '1h',
      RATE_ABUSE: '6/1h',
    })) as [TestGateway];
    const { roomId, sockets } = await anas(t, [gateway]);
    const [ana] = sockets as [Client];
    const ended = collect<{ code: string }>(ana.socket, 'session:ended');
    await killRedis(t);
    const codes: string[] = [];
    for (let index = 0; index < 8; index += 1) {
      const ack = await send(ana, roomId);
      codes.push(ack.ok ? 'OK' : ack.error.code);
    }
    const muted = ['MUTED', 'MUTED', 'MUTED', 'MUTED'];
    assert.deepEqual(codes, ['OK', 'OK', 'RATE_LIMITED', 'RATE_LIMITED', ...muted]);
    assert.equal((await ended.find(() => true)).code, 'RATE_ABUSE');
    await server.start();
    await stop([gateway]);
  });
});
