import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Message, Payload, sessionEndedEvent } from '@parley/protocol';
import { within } from '@parley/test-support';
import { connect, type Client } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import type { Transport } from '../support/packets.ts';
import { RawPolling } from '../support/raw-polling.ts';
import { openWebSocket } from '../support/raw-websocket.ts';
import { token } from '../support/tokens.ts';

// Contract, sections 1 and 7 (bounded): a client that stops reading is ended, and finds out why once it reads again.

const LENGTH = 200_000;
const gateways = await startGateways({ after }, 1, {
  MAX_MESSAGE_LENGTH: String(LENGTH),
  PING_INTERVAL_MS: '60000',
  PING_TIMEOUT_MS: '60000',
});
const gateway = gatewayAt(gateways, 0);
const CONTENT = 'x'.repeat(LENGTH);

async function join(transport: Transport, roomId: string): Promise<void> {
  transport.send(`40${JSON.stringify({ token: await token('slow') })}`);
  await transport.packet('42["session:ready"');
  transport.send(`421${JSON.stringify(['room:join', { roomId }])}`);
  assert.match(await transport.packet('431['), /^431\[\{"ok":true/);
}

async function newRoom(client: Client, name: string): Promise<string> {
  return (await client.ok('room:create', { name })).room.id;
}

async function countEnded(): Promise<number> {
  const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
  return Number(/parley_sessions_ended_total\{code="SLOW_CONSUMER"\} (\d+)/.exec(text)?.[1] ?? 0);
}

/** Sends until the reader's session is ended. @returns how many messages there are */
async function sendUntilEnded(client: Client, roomId: string): Promise<number> {
  const before = await countEnded();
  for (let seq = 0; ;) {
    const sent = await Promise.all(Array.from({ length: 20 }, () => client.send(roomId, CONTENT)));
    seq = Math.max(...sent.map((message) => message.seq));
    if ((await countEnded()) > before) return seq;
    assert.ok(seq < 1_000, '200 MB were not too much');
  }
}

/** Every message from the first on, and after them the end. */
function checkHeard(packets: readonly string[], total: number): void {
  const events = packets.filter((packet) => packet.startsWith('42[')).map((packet) => JSON.parse(packet.slice(2)));
  const first = events.findIndex(([event]) => event === 'message:new');
  const [last] = events.splice(-1) as [[string, Payload<typeof sessionEndedEvent>]];
  assert.equal(last[0], 'session:ended');
  assert.deepEqual([last[1].code, last[1].reconnect], ['SLOW_CONSUMER', true]);
  const heard = (first < 0 ? [] : events.slice(first)) as [string, Message][];
  assert.deepEqual(
    heard.map(([event, { seq }]) => [event, seq]),
    heard.map((_, index) => ['message:new', index + 1]),
  );
  assert.ok(heard.length < total, 'nothing was too much');
}

test('over a WebSocket: what was on its way, then session:ended, then the end of the connection', async (t) => {
  const ana = await connect(t, gateway, 'ana');
  const roomId = await newRoom(ana, 'Slow WebSocket');
  const slow = await openWebSocket(gateway);
  t.after(() => slow.close());
  await join(slow, roomId);
  slow.pause();
  const total = await sendUntilEnded(ana, roomId);

  // The room goes on without it, and costs nothing for it.
  await ana.send(roomId, 'after the end');
  slow.resume();
  await slow.packet('42["session:ended"');
  assert.equal(await within(slow.closed, 'the end of the connection'), undefined);
  checkHeard(slow.packets, total);
});

test('over long-polling: session:ended with the next poll, then no session', async (t) => {
  const ana = await connect(t, gateway, 'ana');
  const roomId = await newRoom(ana, 'Slow polling');
  const slow = await RawPolling.open(gateway);
  await join(slow, roomId);
  slow.stopReading();
  const total = await sendUntilEnded(ana, roomId);
  await ana.send(roomId, 'after the end');
  slow.read();
  await slow.packet('42["session:ended"');
  await within(slow.closed, 'the end of the session');
  checkHeard(slow.packets, total);
});
