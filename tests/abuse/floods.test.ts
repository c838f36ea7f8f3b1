import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { http } from '../support/http.ts';
import { encodeFrame, TEXT, type RawWebSocket } from '../support/raw-websocket.ts';
import { RawPolling, SEPARATOR } from '../support/raw-polling.ts';
import { connect } from '../support/client.ts';
import { token } from '../support/tokens.ts';
import { attacker, dealtWith, startVictim } from './victim.ts';

// Contract, section 7, guarantee 8: more than anybody can want, and clients that do not read.

const victim = await startVictim({ after }, { MAX_CONNECTIONS_PER_USER: 'off' });
afterEach(() => victim.unharmed());

const MEBIBYTE = 2 ** 20;

/** What the gateway's process holds, in bytes. */
async function memory(): Promise<number> {
  const { text } = await http({ url: victim.gateway.metricsUrl }, '/metrics');
  const [, value] = /^process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
  assert.ok(value !== undefined, 'the metrics do not tell the memory');
  return Number(value);
}

function flood(socket: RawWebSocket, count: number, packetOf: (index: number) => string): void {
  socket.write(
    Buffer.concat(Array.from({ length: count }, (_, index) => encodeFrame({ opcode: TEXT, payload: packetOf(index) }))),
  );
}

/** A room whose newest page is some 2 MB. */
async function heavyRoom(): Promise<string> {
  const writer = await connect({ after }, victim.gateway, 'writer');
  const { room } = await writer.ok('room:create', { name: 'Heavy' });
  await Promise.all(Array.from({ length: 100 }, (_, index) => writer.send(room.id, `${index}`.padEnd(9_999, '界'))));
  writer.close();
  return room.id;
}

describe('requests by the thousand from one socket', () => {
  for (const [name, packetOf] of [
    ['for a room list', (index: number) => `42${index}["room:list",{}]`],
    ['for events that nobody knows', (index: number) => `42${index}["no:such",{}]`],
    ['without acknowledgements', () => '42["no:such",{}]'],
    ['with one acknowledgement id for all', () => '427["room:list",{}]'],
    [
      'to send',
      (index: number) => {
        const payload = { roomId: victim.roomId, content: `flood ${index}`, clientMsgId: `flood ${index}` };
        return `42${index}["message:send",${JSON.stringify(payload)}]`;
      },
    ],
  ] as const) {
    test(name, async (t) => {
      const socket = await attacker(t, victim);
      socket.send(`42999999["room:join",{"roomId":"${victim.roomId}"}]`);
      await socket.packet('43999999');
      flood(socket, 3_000, packetOf);
      await victim.unharmed();
      assert.match(await dealtWith(socket), /closed|lives/);
    });
  }

  test('over polling, in one body', async (t) => {
    const polling = await RawPolling.open(victim.gateway);
    t.after(() => polling.close());
    polling.send(`40${JSON.stringify({ token: await token('mallory') })}`);
    await polling.packet('42["session:ready"');
    polling.send(Array.from({ length: 3_000 }, (_, id) => `42${id}["room:list",{}]`).join(SEPARATOR));
    await polling.packet('432999[');
  });
});

describe('a client that asks and does not read', async () => {
  const roomId = await heavyRoom();
  const ask = (index: number) => `42${index}["message:history",{"roomId":"${roomId}","limit":100}]`;
  // Some 600 MB of answers, of which the systems' own buffers take a few.
  const ROUNDS = 10;
  const REQUESTS = 20;
  const BOUND = 200 * MEBIBYTE;

  test('its unread acknowledgements do not fill the gateway’s memory', async (t) => {
    const socket = await attacker(t, victim);
    socket.send(`42999999["room:join",{"roomId":"${roomId}"}]`);
    await socket.packet('43999999');
    socket.send(ask(1));
    const answerBytes = Buffer.byteLength(await socket.packet('431['));
    const before = await memory();
    socket.pause();
    let most = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      flood(socket, REQUESTS, (index) => ask(round * REQUESTS + index));
      await victim.unharmed();
      most = Math.max(most, await memory());
    }
    socket.close();
    const asked = ROUNDS * REQUESTS * answerBytes;
    const grown = (most - before) / MEBIBYTE;
    t.diagnostic(`${(asked / MEBIBYTE).toFixed()} MiB were asked for, the process grew by ${grown.toFixed()} MiB`);
    assert.ok(asked > 2 * BOUND, 'too little was asked for to show anything');
    assert.ok(most - before < BOUND, `the process grew by ${grown.toFixed()} MiB`);
  });

  test('and over polling', async (t) => {
    const polling = await RawPolling.open(victim.gateway);
    t.after(() => polling.close());
    polling.send(`40${JSON.stringify({ token: await token('mallory') })}`);
    await polling.packet('42["session:ready"');
    polling.stopReading();
    const before = await memory();
    let most = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = Array.from({ length: REQUESTS }, (_, index) => ask(round * REQUESTS + index)).join(SEPARATOR);
      await polling.post(body);
      await victim.unharmed();
      most = Math.max(most, await memory());
    }
    const grown = (most - before) / MEBIBYTE;
    t.diagnostic(`the process grew by ${grown.toFixed()} MiB`);
    assert.ok(most - before < BOUND, `the process grew by ${grown.toFixed()} MiB`);
  });
});
