import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { BINARY, encodeFrame, openWebSocket } from '../support/raw-websocket.ts';
import { RawPolling, SEPARATOR } from '../support/raw-polling.ts';
import { token } from '../support/tokens.ts';
import { attacker, dealtWith, startVictim } from './victim.ts';

// Packets of Engine.IO and Socket.IO that are no packets, or come at the wrong time.

const victim = await startVictim({ after }, { MAX_FRAME_BYTES: '200000', MAX_CONNECTIONS_PER_USER: 'off' });
afterEach(() => victim.unharmed());

const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

/** After CONNECT. Each is sent three times. */
const packets = [
  // Engine.IO
  '',
  ' ',
  '0',
  '0{"sid":"x","upgrades":[],"pingInterval":1,"pingTimeout":1}',
  '1',
  '2probe',
  '3',
  '3probe',
  '5',
  '6',
  '7',
  '9',
  'x',
  '\u0000',
  'bAAAA',
  'b!!!!',
  // Socket.IO
  '4',
  '4x',
  '47',
  '48',
  '4-1',
  '40',
  '40{',
  '40/',
  '40,',
  '41{}',
  '42',
  '42x',
  '42{}',
  '42[]',
  '42[7]',
  '42[null]',
  '42[{}]',
  '42[["x"]]',
  '42["x"',
  '42"x"',
  '42["connect"]',
  '42["disconnect"]',
  '42["disconnecting"]',
  '42["connect_error"]',
  '42["newListener"]',
  '42["error","x"]',
  '42["x"]["y"]',
  '42/,["x"]',
  '42/elsewhere,["x"]',
  '42/elsewhere?token=x,7["x"]',
  '427',
  '42-7["x"]',
  '4299999999999999999999["x"]',
  '421.5["x"]',
  '43[]',
  '437[]',
  '430["x"]',
  '439999[{"ok":true}]',
  '43{}',
  '44{}',
  '44{"message":"x"}',
  '45',
  '45["x"]',
  '450-["x"]',
  '451-["x",{"_placeholder":true,"num":0}]',
  '451-["x",{"_placeholder":true,"num":5}]',
  '452-["x",{"_placeholder":true,"num":-1}]',
  '451-["x",{"_placeholder":true,"num":"__proto__"}]',
  `451-["x",${deep}]`,
  '4599999999-["x",{"_placeholder":true,"num":0}]',
  '45-1-["x"]',
  '461-7[{"_placeholder":true,"num":0}]',
  '46["x"]',
  `42${deep}`,
  `42["x",${'{"a":'.repeat(20_000)}`,
];

for (const packet of packets) {
  test(`after CONNECT: ${JSON.stringify(packet.slice(0, 60))}`, async (t) => {
    const socket = await attacker(t, victim);
    for (let time = 0; time < 3; time += 1) socket.send(packet);
    // Whether it is cut off or not is the server's business; that it has dealt with it is what is waited for.
    if (/^4[56]/.test(packet)) socket.send('42["text where binary is due"]');
    assert.match(await dealtWith(socket), /closed|lives/);
  });
}

describe('before CONNECT', () => {
  for (const packet of ['2', '41', '42["room:list",{}]', '437[]', '451-["x"]', 'bAAAA', '40{"token":', '40[]', '407']) {
    test(JSON.stringify(packet), async (t) => {
      const socket = await openWebSocket(victim.gateway);
      t.after(() => socket.close());
      socket.send(packet);
      socket.send(`40${JSON.stringify({ token: await token('mallory') })}`);
      await Promise.race([socket.closed, socket.packet('42["session:ready"')]);
    });
  }
});

describe('binary', () => {
  for (const [name, before] of [
    ['out of nothing', undefined],
    ['for an event with an attachment', '451-77["message:send",{"_placeholder":true,"num":0}]'],
    ['as a roomId', '451-77["room:join",{"roomId":{"_placeholder":true,"num":0}}]'],
    ['for more attachments than come', '459-77["room:list",{"_placeholder":true,"num":0}]'],
    ['for an attachment that is not there', '451-77["room:list",{"_placeholder":true,"num":3}]'],
  ] as const) {
    test(name, async (t) => {
      const socket = await attacker(t, victim);
      if (before !== undefined) socket.send(before);
      for (let time = 0; time < 3; time += 1) {
        socket.write(encodeFrame({ opcode: BINARY, payload: Buffer.alloc(1_000, 7) }));
      }
      assert.match(await dealtWith(socket), /closed|lives/);
    });
  }

  test('a payload of bytes is VALIDATION_ERROR, and the connection lives on', async (t) => {
    const socket = await attacker(t, victim);
    socket.send('451-77["message:send",{"_placeholder":true,"num":0}]');
    socket.write(encodeFrame({ opcode: BINARY, payload: Buffer.alloc(10) }));
    assert.match(await socket.packet('4377['), /VALIDATION_ERROR/);
    assert.equal(await dealtWith(socket), 'lives');
  });
});

describe('polling bodies', async () => {
  const connect = `40${JSON.stringify({ token: await token('mallory') })}`;
  for (const [name, body] of [
    ['nothing', ''],
    ['separators only', SEPARATOR.repeat(50_000)],
    ['no packets', 'hello'],
    ['a CONNECT and then no packets', `${connect}${SEPARATOR}xyz`],
    ['a close before all others', `1${SEPARATOR}${connect}`],
    ['many requests', [connect, ...Array.from({ length: 5_000 }, () => '42["x"]')].join(SEPARATOR)],
    ['base64 that is none', `b${'!'.repeat(1_000)}`],
    ['an old length-prefixed body', '5:40{},2:42'],
    ['form encoding of JSONP', 'd=42%5B%22x%22%5D'],
  ] as const) {
    test(name, async (t) => {
      const polling = await RawPolling.open(victim.gateway);
      t.after(() => polling.close());
      const answer = await polling.post(body);
      assert.ok([200, 400].includes(answer.status), `${answer.status} ${answer.text.slice(0, 200)}`);
    });
  }

  test('over MAX_FRAME_BYTES is 413', async (t) => {
    const polling = await RawPolling.open(victim.gateway);
    t.after(() => polling.close());
    assert.equal((await polling.post(`42["x","${'x'.repeat(250_000)}"]`)).status, 413);
  });
});
