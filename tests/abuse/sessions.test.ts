import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, describe, test } from 'node:test';
import { within } from '@parley/test-support';
import { connect } from '../support/client.ts';
import { http } from '../support/http.ts';
import { SOCKETS } from '../support/packets.ts';
import { RawPolling } from '../support/raw-polling.ts';
import { openWebSocket, UPGRADE, UpgradeRefused } from '../support/raw-websocket.ts';
import { token } from '../support/tokens.ts';
import { sidOf } from '../support/transport.ts';
import { attacker, dealtWith, startVictim } from './victim.ts';

// Session ids: guessed, doubled, empty, and those of others.

const victim = await startVictim({ after }, { MAX_CONNECTIONS_PER_USER: 'off', REQUIRE_UPGRADE_AUTH: 'true' });
const { gateway } = victim;
afterEach(() => victim.unharmed());

const bearer = { authorization: `Bearer ${await token('mallory')}` };

/** The status of a polling GET, a polling POST and an upgrade with this query. */
async function statuses(query: string, headers: Record<string, string> = {}): Promise<number[]> {
  const post = { method: 'POST', body: '40', headers: { 'content-type': 'text/plain', ...headers } };
  return [
    (await http(gateway, `${SOCKETS}&transport=polling${query}`, { headers })).status,
    (await http(gateway, `${SOCKETS}&transport=polling${query}`, post)).status,
    (await http(gateway, `${SOCKETS}&transport=websocket${query}`, { headers: { ...UPGRADE, ...headers } })).status,
  ];
}

describe('a sid that nobody has', () => {
  const guesses = [
    'x',
    `${gateway.name}.${randomBytes(15).toString('base64url')}`,
    `${gateway.name}.`,
    '.',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '%00',
    '%zz',
    '../../etc/passwd',
    'x'.repeat(10_000),
    "' or 1=1 --",
    '0',
    'null',
    'undefined',
  ];
  for (const sid of guesses) {
    test(sid.slice(0, 40), async () => {
      for (const status of await statuses(`&sid=${sid.includes('%') ? sid : encodeURIComponent(sid)}`)) {
        assert.ok(status === 400 || status === 401, `it was answered with ${status}`);
      }
    });
  }

  test('2,000 guesses open nothing', async () => {
    const polling = await RawPolling.open(gateway, bearer);
    for (let batch = 0; batch < 20; batch += 1) {
      const guessed = Array.from({ length: 100 }, () => `${gateway.name}.${randomBytes(15).toString('base64url')}`);
      const answers = await Promise.all(
        guessed.map((sid) => http(gateway, `${SOCKETS}&transport=polling&sid=${sid}`).then(({ status }) => status)),
      );
      assert.deepEqual(new Set(answers), new Set([400]));
    }
    assert.equal((await polling.post(`40${JSON.stringify({ token: await token('mallory') })}`)).status, 200);
    polling.close();
  });
});

describe('a sid that is empty or there twice does not get past the gate', () => {
  const opens = 200;
  for (const query of [
    '&sid=',
    '&sid',
    '&sid=&sid=',
    '&sid=x&sid=',
    '&sid=&sid=x',
    '&sid=x&sid=y',
    '&sid[]=x',
    '&sid[]=',
    '&SID=x',
    '&%73id=',
    '&sid=%20',
    '&sid=%00',
    '?sid=x',
    '#&sid=x',
    ';sid=x',
    '&sid=x&',
  ]) {
    test(query, async () => {
      for (const status of await statuses(query)) {
        assert.ok(status >= 400 && status < 500, `without a credential it was answered with ${status}`);
      }
      const [get = 0] = await statuses(query, bearer);
      assert.ok(get === opens || (get >= 400 && get < 500), `with a credential it was answered with ${get}`);
    });
  }

  test('a good sid beside an empty one is either session, or none, but never unchecked', async () => {
    const polling = await RawPolling.open(gateway, bearer);
    for (const query of [`&sid=${polling.sid}&sid=`, `&sid=&sid=${polling.sid}`, `&sid=x&sid=${polling.sid}`]) {
      const { status, text } = await http(gateway, `${SOCKETS}&transport=polling${query}`, {
        method: 'POST',
        body: '2',
        headers: { 'content-type': 'text/plain' },
      });
      assert.ok(status === 200 || status === 400 || status === 401, `${status} ${text}`);
      assert.ok(!text.includes('"sid"'), 'a session was opened');
    }
    polling.close();
  });
});

describe('the sid of another', () => {
  test('requests and upgrades for a session that is a WebSocket already leave its owner alone', async (t) => {
    const owner = await connect(t, gateway, 'owner', { headers: bearer, transports: ['websocket'] });
    const { id } = owner.socket.io.engine as unknown as { id: string };
    for (let time = 0; time < 3; time += 1) {
      const path = `${SOCKETS}&transport=websocket&sid=${id}`;
      const intruder = await openWebSocket(gateway, { path }).catch((error: unknown) => {
        if (!(error instanceof UpgradeRefused)) throw error;
      });
      t.after(() => intruder?.close());
      intruder?.send('42["room:list",{}]');
      intruder?.send('1');
    }
    for (const method of ['GET', 'POST']) {
      const { status } = await http(gateway, `${SOCKETS}&transport=polling&sid=${id}`, {
        method,
        ...(method === 'POST' && { body: '41' }),
      });
      assert.equal(status, 400);
    }
    await owner.ok('room:list', {});
    assert.deepEqual(owner.disconnects, []);
  });

  test('an upgrade that never says its probe leaves the polling client alone', async (t) => {
    const polling = await RawPolling.open(gateway, bearer);
    t.after(() => polling.close());
    polling.send(`40${JSON.stringify({ token: await token('mallory') })}`);
    await polling.packet('42["session:ready"');
    const path = `${SOCKETS}&transport=websocket&sid=${polling.sid}`;
    const silent = await openWebSocket(gateway, { path });
    t.after(() => silent.close());
    const nonsense = await openWebSocket(gateway, { path });
    t.after(() => nonsense.close());
    nonsense.send('42["room:list",{}]');
    nonsense.send('5');
    polling.send('4277["room:list",{"limit":1}]');
    assert.match(await polling.packet('4377['), /"ok":true/);
  });

  test('an upgrade from a foreign page is 403, with a good sid as well', async (t) => {
    const polling = await RawPolling.open(gateway, bearer);
    t.after(() => polling.close());
    const path = `${SOCKETS}&transport=websocket&sid=${polling.sid}`;
    const origin = 'https://evil.example';
    await assert.rejects(openWebSocket(gateway, { path, headers: { origin } }), { status: 403 });
    const { status } = await http(gateway, `${SOCKETS}&transport=polling&sid=${polling.sid}`, { headers: { origin } });
    assert.equal(status, 403);
  });

  test('session ids do not tell one another, and are not the connectionId', async (t) => {
    const first = sidOf(await http(gateway, `${SOCKETS}&transport=polling`, { headers: bearer }));
    const second = sidOf(await http(gateway, `${SOCKETS}&transport=polling`, { headers: bearer }));
    const random = (sid: string) => sid.slice(sid.indexOf('.') + 1);
    assert.ok(random(first).length >= 20);
    assert.notEqual(random(first), random(second));
    for (const sid of [first, second]) {
      await http(gateway, `${SOCKETS}&transport=polling&sid=${sid}`, { method: 'POST', body: '1' });
    }
    const client = await connect(t, gateway, 'owner', { headers: bearer });
    const { id } = client.socket.io.engine as unknown as { id: string };
    assert.notEqual(client.all('session:ready')[0]?.connectionId, id);
  });
});

describe('handshakes that are none', () => {
  for (const path of [
    '/socket.io/',
    '/socket.io/?EIO=3&transport=polling',
    '/socket.io/?EIO=5&transport=polling',
    '/socket.io/?EIO=4',
    '/socket.io/?EIO=4&transport=',
    '/socket.io/?EIO=4&transport=webtransport',
    '/socket.io/?EIO=4&transport=__proto__',
    '/socket.io/?EIO=4&transport=constructor',
    '/socket.io/?EIO[]=4&transport=polling',
  ]) {
    test(path, async () => {
      const { status } = await http(gateway, path, { headers: bearer });
      assert.ok(status >= 400 && status < 500, `it was answered with ${status}`);
    });
  }

  test('two polls at once end the session of him who does so', async (t) => {
    const polling = await RawPolling.open(gateway, bearer);
    t.after(() => polling.close());
    const path = `${SOCKETS}&transport=polling&sid=${polling.sid}`;
    await Promise.all([http(gateway, path), http(gateway, path)]);
    await within(polling.closed, 'the end of the session');
  });
});

test('a sid of a session that has ended is worth nothing', async (t) => {
  const polling = await RawPolling.open(gateway, bearer);
  polling.close();
  const socket = await attacker(t, victim);
  assert.equal(await dealtWith(socket), 'lives');
  assert.deepEqual(await statuses(`&sid=${polling.sid}`), [400, 400, 400]);
});
