import fc from 'fast-check';
import { createWorld, SimulatedClient, SimulatedGateway } from './cluster.ts';
import type { Delivery, Dice } from './world.ts';

const GATEWAYS = 3;
const CLIENTS = 6;
const ROOMS = ['red', 'blue'];

/** One thing that happens, and how long nothing does after it, ms. */
type Step = { pause: number } & (
  | { do: 'send'; client: number; room: number; count: number }
  | { do: 'change'; client: number; room: number; seq: number }
  | { do: 'join' | 'leave' | 'expel' | 'admit'; client: number; room: number }
  | { do: 'crash'; gateway: number }
  | { do: 'network'; loses: number; repeats: number; slowMs: number }
  | { do: 'channel' | 'store'; away: boolean }
  | { do: 'hold'; room: number; held: boolean }
);

export interface History {
  seed: number;
  steps: Step[];
}

const client = fc.nat(CLIENTS - 1);
const room = fc.nat(ROOMS.length - 1);
const pause = fc.oneof({ weight: 3, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(3_000) });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send'), pause, client, room, count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('change'), pause, client, room, seq: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('join'), pause, client, room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave'), pause, client, room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('expel', 'admit'), pause, client, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash'), pause, gateway: fc.nat(GATEWAYS - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('network'),
      pause,
      loses: fc.nat(100),
      repeats: fc.nat(100),
      slowMs: fc.nat(200),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('channel'), pause, away: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('store'), pause, away: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold'), pause, room, held: fc.boolean() }) },
) as fc.Arbitrary<Step>;

export const history: fc.Arbitrary<History> = fc.record({
  seed: fc.integer(),
  steps: fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
});

/** mulberry32: small, fast, and the same everywhere. */
function diceOf(seed: number): Dice {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % 100;
  };
}

/**
 * Plays a history and lets everything calm down: network, channel and store are well again, and time passes.
 *
 * @returns what was promised and did not hold; nothing when all is well
 */
export async function play({ seed, steps }: History): Promise<string[]> {
  const dice = diceOf(seed);
  const world = createWorld(dice, ROOMS);
  const gateways = Array.from({ length: GATEWAYS }, (_, index) => new SimulatedGateway(`gateway${index}`, world));
  const clients = Array.from(
    { length: CLIENTS },
    (_, index) => new SimulatedClient(`client${index}`, gateways[index % GATEWAYS] as SimulatedGateway),
  );
  let writes = 0;

  function act(taken: Step): void {
    const who = 'client' in taken ? (clients[taken.client] as SimulatedClient) : undefined;
    const where = 'room' in taken ? (ROOMS[taken.room] as string) : '';
    switch (taken.do) {
      case 'send':
        for (let sent = 0; sent < taken.count; sent += 1) void who?.gateway.send(who, where, `m${(writes += 1)}`);
        break;
      case 'change':
        who?.gateway.change(who, where, taken.seq, `c${(writes += 1)}`);
        break;
      case 'join':
        void who?.gateway.join(who, where);
        break;
      case 'leave':
        who?.gateway.leave(who, where);
        break;
      case 'expel':
        if (who) expel(who, where);
        break;
      case 'admit':
        if (who) world.store.admit(where, who.name);
        break;
      case 'crash':
        crash(taken.gateway);
        break;
      case 'network':
        world.channel.network = (roll): Delivery => ({
          lost: roll() < taken.loses,
          repeated: roll() < taken.repeats,
          delayMs: taken.slowMs === 0 ? 1 : roll() % taken.slowMs,
        });
        break;
      case 'channel':
        world.channel.isAway = taken.away;
        break;
      case 'store':
        world.store.isAway = taken.away;
        break;
      case 'hold':
        if (taken.held) world.store.held.add(where);
        else world.store.held.delete(where);
        break;
    }
  }

  /** The gateway of who is expelled is told over the network, which may lose it. */
  function expel(who: SimulatedClient, roomId: string): void {
    if (!world.store.expel(roomId, who.name)) return;
    const { lost, delayMs } = world.channel.network(dice);
    const { gateway } = who;
    if (!lost && !world.channel.isAway) world.clock.after(delayMs, () => gateway.evict(who, roomId));
  }

  /** The process is gone and started again; its clients come back to it, hearing nothing. */
  function crash(index: number): void {
    const dead = gateways[index] as SimulatedGateway;
    dead.die();
    const reborn = new SimulatedGateway(dead.name, world);
    gateways[index] = reborn;
    for (const one of clients.filter(({ gateway }) => gateway === dead)) {
      for (const roomId of ROOMS) one.left(roomId);
      one.gateway = reborn;
    }
  }

  for (const taken of steps) {
    act(taken);
    await world.clock.pass(taken.pause);
  }
  world.channel.isAway = false;
  world.store.isAway = false;
  world.store.held.clear();
  world.channel.network = () => ({ lost: false, repeated: false, delayMs: 1 });
  await world.clock.pass(10_000);
  const intruders = clients.flatMap((one) =>
    ROOMS.filter((roomId) => world.store.isOutsider(roomId, one.name) && one.gateway.streams.hears(one, roomId)).map(
      (roomId) => `${one.name} was expelled and hears ${roomId}`,
    ),
  );
  for (const gateway of gateways) gateway.streams.stop();
  const broken = clients.flatMap((one) => [
    ...one.complaints,
    ...ROOMS.flatMap((roomId) => one.missing(roomId, world.store.headOf(roomId))),
  ]);
  return [...intruders, ...broken];
}
