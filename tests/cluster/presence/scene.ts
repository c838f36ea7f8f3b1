import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually, startRedis, type Owner, type Server } from '@parley/test-support';
import { childGateways, type ChildGateway, type ChildGateways } from '../../support/child-gateways.ts';
import { connect, type Client } from '../../support/client.ts';
import type { Environment } from '../../support/environment.ts';
import { callOk } from '../../support/http.ts';
import { token } from '../../support/tokens.ts';

/** How long anything here may take until it is seen, ms: the contract's longest time and a slow machine's. */
const PATIENCE_MS = 60_000;

/** What a watcher was told of a user. */
export interface Told {
  status: string;
  /** By `performance.now()`. */
  at: number;
}

/** A member of the room that keeps when it was told what of whom. */
export interface Watcher {
  readonly client: Client;
  /** Of a user, in the order it came: states, and `joined` and `left` of the room. */
  told(userId: string): Told[];
}

/** Gateways as processes, with a Redis of their own that can be restarted, and a room with watchers. */
export interface Scene {
  readonly gateways: ChildGateway[];
  readonly redis: Server;
  readonly roomId: string;
  readonly watchers: Watcher[];
  start(): Promise<ChildGateway>;
  watch(gateway: ChildGateway): Promise<Watcher>;
  /** A new user who is a member of the room. */
  member(name: string): Promise<string>;
  /** A device of a member, which hears the room. */
  device(userId: string, gateway: ChildGateway): Promise<Client>;
}

export async function openScene(owner: Owner, count: number, env: Environment = {}): Promise<Scene> {
  const redis = await startRedis();
  const children: ChildGateways = await childGateways(owner, { REDIS_URL: redis.url, ...env });
  const gateways: ChildGateway[] = [];
  owner.after(() => redis.remove());
  const start = async (): Promise<ChildGateway> => {
    const gateway = await children.start();
    gateways.push(gateway);
    return gateway;
  };
  for (let index = 0; index < count; index += 1) await start(); // one by one: starting is what costs a small machine
  const [first] = gateways as [ChildGateway];
  const founder = await connect(owner, first, 'founder');
  const { room } = await founder.ok('room:create', { name: 'Presence' });
  founder.close();
  const watchers: Watcher[] = [];

  const scene: Scene = {
    gateways,
    redis,
    roomId: room.id,
    watchers,
    start,
    async watch(gateway) {
      const client = await scene.device(await scene.member('watcher'), gateway);
      const watcher = watch(client);
      watchers.push(watcher);
      return watcher;
    },
    async member(name) {
      const userId = `${name}-${randomUUID().slice(0, 8)}`;
      await callOk(first, 'roomJoinPost', { token: await token(userId), params: { id: room.id }, body: {} });
      return userId;
    },
    async device(userId, gateway) {
      const client = await connect(owner, gateway, userId);
      await client.ok('rooms:sync', { rooms: [{ roomId: room.id, seq: 0 }] });
      return client;
    },
  };
  return scene;
}

function watch(client: Client): Watcher {
  const told = new Map<string, Told[]>();
  const note = (userId: string, status: string): void => {
    told.set(userId, [...(told.get(userId) ?? []), { status, at: performance.now() }]);
  };
  client.socket.on('presence:changed', ({ users }: { users: { id: string; status: string }[] }) => {
    for (const { id, status } of users) note(id, status);
  });
  for (const event of ['joined', 'left']) {
    client.socket.on(`room:user_${event}`, ({ users }: { users: { id: string }[] }) => {
      for (const { id } of users) note(id, event);
    });
  }
  return { client, told: (userId) => told.get(userId) ?? [] };
}

/** When the last of the watchers was told, for the first time after a moment, that all of the users are so. */
export function seen(
  watchers: readonly Watcher[],
  userIds: readonly string[],
  status: string,
  after = 0,
): Promise<number> {
  return eventually(
    () => {
      const times = watchers.flatMap((watcher) =>
        userIds.map((userId) => {
          const found = watcher.told(userId).find((one) => one.status === status && one.at >= after);
          assert.ok(found, `${watcher.client.userId} was told of ${userId}: ${JSON.stringify(watcher.told(userId))}`);
          return found.at;
        }),
      );
      return Math.max(...times);
    },
    { timeoutMs: PATIENCE_MS, everyMs: 10, message: `waiting until ${status} is seen` },
  );
}

/** Until every watcher is answered with this number of online members. */
export function countIs(scene: Scene, watchers: readonly Watcher[], online: number): Promise<void> {
  return eventually(
    async () => {
      for (const { client } of watchers) {
        const answer = await client.ok('room:members', { roomId: scene.roomId });
        const there = answer.members.filter(({ status }) => status !== 'offline').map(({ id }) => id);
        assert.equal(answer.online, online, there.join(' '));
      }
    },
    { timeoutMs: PATIENCE_MS / 2, everyMs: 50, message: 'waiting for the right number' },
  );
}

/** What the watchers were told of a user, in one line each. */
export function linesOf(watchers: readonly Watcher[], userId: string): string[] {
  return watchers.map((watcher) =>
    watcher
      .told(userId)
      .map(({ status }) => status)
      .join(' '),
  );
}

/** The client goes on to be connected but answers nothing, as after a network that is gone. */
export function fallSilent(client: Client): void {
  const { engine } = client.socket.io as unknown as { engine: Record<string, () => void> };
  for (const method of ['sendPacket', '_sendPacket', 'flush']) if (method in engine) engine[method] = () => {};
}
