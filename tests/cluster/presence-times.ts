/**
 * How long it takes until others see that somebody is here or gone: three gateways with the settings of production, a
 * PostgreSQL and a Redis, a watcher at each gateway. Prints one line for each way to come and go; takes about two
 * minutes.
 *
 *   node tests/cluster/presence-times.ts
 */
import type { ChildGateway } from '../support/child-gateways.ts';
import { startStores } from '../stores.ts';
import { countIs, fallSilent, linesOf, openScene, seen, type Scene, type Watcher } from './presence/scene.ts';

const closers: (() => Promise<void>)[] = [];
const owner = { after: (close: () => Promise<void>) => void closers.unshift(close) };
const stores = await startStores();
try {
  await measure();
} finally {
  for (const close of closers) await close().catch(() => {});
  await stores.stop();
}

async function measure(): Promise<void> {
  const scene = await openScene(owner, 3);
  const [first, second, third] = scene.gateways as [ChildGateway, ChildGateway, ChildGateway];
  const watchers: Watcher[] = [];
  for (const gateway of scene.gateways) watchers.push(await scene.watch(gateway));
  const [atFirst, atSecond] = watchers as [Watcher, Watcher];
  const living = [atFirst, atSecond];

  print('what happens', 'seen by all as', 'ms');
  const came = await newcomer(scene, watchers, third);
  print('first device connects', 'online', came.ms);
  await timed('last device closes', { watchers: watchers, userId: came.userId, status: 'offline' }, () =>
    came.device.close(),
  );

  const twin = await newcomer(scene, watchers, first);
  await scene.device(twin.userId, second);
  twin.device.close();
  const marker = await newcomer(scene, watchers, first);
  await timed(
    '(another user closes after that)',
    { watchers: watchers, userId: marker.userId, status: 'offline' },
    () => marker.device.close(),
  );
  print('second device stays when one closes', linesOf(watchers, twin.userId).join(' | '), '-');

  const silent = await newcomer(scene, watchers, second);
  await timed('client falls silent', { watchers: watchers, userId: silent.userId, status: 'offline' }, () =>
    fallSilent(silent.device),
  );

  const sleeper = await newcomer(scene, living, third);
  await timed('gateway is stopped by SIGSTOP', { watchers: living, userId: sleeper.userId, status: 'offline' }, () =>
    third.process.kill('SIGSTOP'),
  );
  await timed('it goes on (SIGCONT)', { watchers: living, userId: sleeper.userId, status: 'online' }, () =>
    third.process.kill('SIGCONT'),
  );

  const orphan = await newcomer(scene, living, third);
  await timed('gateway is killed (kill -9)', { watchers: living, userId: orphan.userId, status: 'offline' }, () =>
    third.process.kill('SIGKILL'),
  );

  const fourth = await scene.start();
  const drained = await newcomer(scene, living, fourth);
  await timed(
    'gateway is stopped (SIGTERM, from its end)',
    { watchers: living, userId: drained.userId, status: 'offline' },
    () => fourth.process.stop('SIGTERM'),
  );

  const staying = await newcomer(scene, living, first);
  const going = await newcomer(scene, living, second);
  await scene.redis.stop('SIGKILL');
  going.device.close();
  await scene.redis.start();
  const backAt = performance.now();
  await countIs(scene, living, 4); // both watchers, the twin, and who stayed
  print('Redis restarts, empty', 'right numbers everywhere', Math.round(performance.now() - backAt));
  await timed('who closed while it was away', {
    watchers: living,
    userId: going.userId,
    status: 'offline',
    from: backAt,
  });
  print('who stayed', linesOf(living, staying.userId).join(' | '), '-');
}

async function newcomer(scene: Scene, watchers: readonly Watcher[], gateway: ChildGateway) {
  const userId = await scene.member('user');
  const startedAt = performance.now();
  const device = await scene.device(userId, gateway);
  const at = await seen(watchers, [userId], 'online');
  await seen(watchers, [userId], 'joined');
  return { userId, device, ms: Math.round(at - startedAt) };
}

interface Timed {
  watchers: readonly Watcher[];
  userId: string;
  status: string;
  /** Counts from here. Default: when the act is done. */
  from?: number;
}

async function timed(
  what: string,
  { watchers, userId, status, from }: Timed,
  act: () => unknown = () => {},
): Promise<void> {
  const before = performance.now();
  await act();
  const startedAt = from ?? performance.now();
  const at = await seen(watchers, [userId], status, Math.min(before, startedAt));
  print(what, status, Math.round(at - startedAt));
}

function print(what: string, status: string, ms: number | string): void {
  process.stdout.write(`${what.padEnd(44)} ${status.padEnd(46)} ${String(ms).padStart(7)}\n`);
}
