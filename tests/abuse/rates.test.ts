import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { limits } from '@parley/protocol';
import { connect } from '../support/client.ts';
import { http } from '../support/http.ts';
import { encodeFrame, TEXT, type RawWebSocket } from '../support/raw-websocket.ts';
import { attacker, startVictim } from './victim.ts';

// Contract, section 8, with the rates that everybody has: floods do not disturb others, and end.

const rates = Object.keys(limits).filter((name) => name.startsWith('RATE_') || name === 'MUTE_AFTER');
const victim = await startVictim({ after }, Object.fromEntries(rates.map((name) => [name, ''])));
afterEach(() => victim.unharmed());

function flood(socket: RawWebSocket, packets: string[]): void {
  socket.write(Buffer.concat(packets.map((payload) => encodeFrame({ opcode: TEXT, payload }))));
}

function sends(roomId: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const payload = { roomId, content: `flood ${index}`, clientMsgId: `flood ${index}` };
    return `42${index}["message:send",${JSON.stringify(payload)}]`;
  });
}

test('a flood of sends: ten pass, the session ends, and nothing more of it is stored', async (t) => {
  const { roomId } = victim;
  const socket = await attacker(t, victim);
  socket.send(`42999999["room:join",{"roomId":"${roomId}"}]`);
  await socket.packet('43999999');
  flood(socket, sends(roomId, 5_000));
  const ending = await socket.packet('42["session:ended"');
  assert.match(ending, /"code":"RATE_ABUSE","message":"[^"]+","reconnect":false,"afterMs":10000/);
  await socket.closed;
  await victim.unharmed();
  const watcher = await connect(t, victim.gateway, 'watcher');
  await watcher.ok('room:join', { roomId });
  const { messages } = await watcher.ok('message:history', { roomId, limit: 100 });
  assert.equal(messages.filter(({ sender }) => sender.id === 'mallory').length, 10);
});

test('the same from many sockets of one user to many rooms: what the user may send passes, all sockets end', async (t) => {
  const owner = await connect(t, victim.gateway, 'owner');
  const sockets = await Promise.all(Array.from({ length: 8 }, () => attacker(t, victim, 'eve')));
  const rooms: string[] = [];
  for (let index = 0; index < 8; index += 1) {
    const { room } = await owner.ok('room:create', { name: `Flooded ${index}` });
    rooms.push(room.id);
    (sockets[index] as RawWebSocket).send(`42999999["room:join",{"roomId":"${room.id}"}]`);
    await (sockets[index] as RawWebSocket).packet('43999999');
  }
  for (const [index, socket] of sockets.entries()) flood(socket, sends(rooms[index] as string, 1_000));
  for (const socket of sockets) {
    await socket.packet('42["session:ended"');
    await socket.closed;
  }
});

test('thousands of attempts to log in: ten are looked at', async () => {
  const body = JSON.stringify({ username: 'speaker', password: 'wrong horse battery' });
  const headers = { 'content-type': 'application/json' };
  const statuses = new Map<number, number>();
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => http(victim.gateway, '/api/auth/login', { method: 'POST', headers, body })),
    );
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert.deepEqual(
    [...statuses].sort(([one], [other]) => one - other),
    [
      [401, 10],
      [429, 1_990],
    ],
  );
});
