import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ChildGateway } from '../support/child-gateways.ts';
import type { Client } from '../support/client.ts';
import { countIs, fallSilent, linesOf, openScene, seen } from './presence/scene.ts';

// Contract, section 7.7: presence is true through silent clients, killed, stopped and paused gateways, and a Redis that
// loses its data. `node tests/cluster/presence-times.ts` prints how long each takes.

const env = { PRESENCE_GRACE_MS: '4000', PING_INTERVAL_MS: '2000', PING_TIMEOUT_MS: '3000', DRAIN_MS: '500' };
const scene = await openScene({ after }, 5, env);
const [first, second, killed, paused, stopped] = scene.gateways as [
  ChildGateway,
  ChildGateway,
  ChildGateway,
  ChildGateway,
  ChildGateway,
];
const watchers = [await scene.watch(first), await scene.watch(second)];
const enter = async (name: string, ...gateways: ChildGateway[]): Promise<[string, Client[]]> => {
  const userId = await scene.member(name);
  const devices = [];
  for (const gateway of gateways) devices.push(await scene.device(userId, gateway));
  await seen(watchers, [userId], 'online');
  await seen(watchers, [userId], 'joined');
  return [userId, devices];
};

test('quick reconnects over three gateways show nothing', async () => {
  const people = [];
  for (let index = 0; index < 10; index += 1) people.push(await enter(`quick${index}`, first));
  const crowd = await Promise.all(
    people.map(async ([userId, [device]]) => {
      let client = device as Client;
      for (let round = 0; round < 20; round += 1) {
        client.close();
        client = await scene.device(userId, [second, killed, first][round % 3] as ChildGateway);
      }
      return { userId, client };
    }),
  );
  await countIs(scene, watchers, 12);
  for (const { client } of crowd) client.close();
  await seen(
    watchers,
    crowd.map(({ userId }) => userId),
    'offline',
  ); // later than anything of before
  await seen(
    watchers,
    crowd.map(({ userId }) => userId),
    'left',
  );
  for (const { userId } of crowd) {
    for (const watcher of watchers) {
      const told = watcher.told(userId).map(({ status }) => status);
      assert.deepEqual(told.toSorted(), ['joined', 'left', 'offline', 'online'], told.join(' '));
    }
  }
});

test('a client that falls silent, a killed, a stopped and a paused gateway', async () => {
  const [silent, [silentDevice]] = await enter('silent', first);
  const [dying] = await enter('dying', killed);
  const [elsewhere] = await enter('elsewhere', killed, second);
  const [draining] = await enter('draining', stopped);
  const [sleeping] = await enter('sleeping', paused);
  fallSilent(silentDevice as Client);
  killed.process.kill('SIGKILL');
  paused.process.kill('SIGSTOP');
  await stopped.process.stop('SIGTERM');
  await seen(watchers, [silent, dying, draining, sleeping], 'offline');
  await seen(watchers, [silent, dying, draining, sleeping], 'left');
  await countIs(scene, watchers, 2 + 1);
  const resumedAt = performance.now();
  paused.process.kill('SIGCONT');
  await seen(watchers, [sleeping], 'online', resumedAt);
  await seen(watchers, [sleeping], 'joined', resumedAt);
  await seen(watchers, [sleeping], 'offline', resumedAt); // its client had given up the socket long before
  assert.deepEqual(
    linesOf(watchers, elsewhere).map((line) => line.split(' ').toSorted().join(' ')),
    ['joined online', 'joined online'],
  );
});

test('a Redis that lost its data: nothing is told of who stayed, and who went meanwhile is offline', async () => {
  const [staying] = await enter('staying', first);
  const [going, [goingDevice]] = await enter('going', second);
  const fourth = await scene.start();
  const [dying] = await enter('lost', fourth);
  await scene.redis.stop('SIGKILL');
  goingDevice?.close();
  fourth.process.kill('SIGKILL');
  await scene.redis.start();
  await countIs(scene, watchers, 2 + 1 + 1);
  await seen(watchers, [going, dying], 'offline');
  await seen(watchers, [going], 'left');
  assert.deepEqual(
    linesOf(watchers, staying).map((line) => line.split(' ').toSorted().join(' ')),
    ['joined online', 'joined online'],
  );
  const [coming] = await enter('coming', second);
  assert.ok(coming);
});
