import assert from 'node:assert/strict';
import type { Owner } from '@parley/test-support';
import { childGateways, type ChildGateway } from '../support/child-gateways.ts';
import { connect } from '../support/client.ts';
import type { Environment } from '../support/environment.ts';
import { openWebSocket, type RawWebSocket } from '../support/raw-websocket.ts';
import { token } from '../support/tokens.ts';

/** A gateway that is attacked while two others chat on it. */
export interface Victim {
  readonly gateway: ChildGateway;
  /** A room that attackers may join. */
  readonly roomId: string;
  /** The others still hear each other, were never cut off, and the gateway lives and has no fault to report. */
  unharmed(): Promise<void>;
}

export async function startVictim(owner: Owner, env: Environment = {}): Promise<Victim> {
  const gateway = await (await childGateways(owner, env)).start();
  const bystander = async (userId: string) =>
    connect(owner, gateway, userId, { headers: { authorization: `Bearer ${await token(userId)}` } });
  const [speaker, listener] = [await bystander('speaker'), await bystander('listener')];
  const { room } = await speaker.ok('room:create', { name: 'Bystanders' });
  await listener.ok('room:join', { roomId: room.id });
  let said = 0;
  return {
    gateway,
    roomId: room.id,
    unharmed: async () => {
      said += 1;
      const { seq } = await speaker.send(room.id, `still here ${said}`);
      await listener.waitFor('message:new', (message) => message.seq === seq);
      assert.deepEqual([speaker.disconnects, listener.disconnects], [[], []]);
      assert.ok(gateway.isAlive, `the gateway died:\n${gateway.process.output.slice(-2_000)}`);
      assert.deepEqual(gateway.faults(), []);
    },
  };
}

/** An attacker who has got in, with a WebSocket of which every byte is free. */
export async function attacker(owner: Owner, { gateway }: Victim, userId = 'mallory'): Promise<RawWebSocket> {
  const jwt = await token(userId);
  const socket = await openWebSocket(gateway, { headers: { authorization: `Bearer ${jwt}` } });
  owner.after(async () => socket.close());
  socket.send(`40${JSON.stringify({ token: jwt })}`);
  await socket.packet('42["session:ready"');
  return socket;
}

/**
 * Resolves when the server has dealt with all that was sent so far: it closed the connection, or it answers a good
 * request that came after. One that is refused, since too much is still under way, is made again.
 */
export async function dealtWith(socket: RawWebSocket): Promise<'closed' | 'lives'> {
  const lives = async (): Promise<'lives'> => {
    for (let id = 900_000 + socket.packets.length; ; id += 1) {
      socket.send(`42${id}["room:list",{"limit":1}]`);
      const answer = await socket.packet(`43${id}[`);
      if (answer.startsWith(`43${id}[{"ok":true`)) return 'lives';
      assert.match(answer, /"code":"RATE_LIMITED"/);
    }
  };
  return Promise.race([socket.closed.then(() => 'closed' as const), lives()]);
}
