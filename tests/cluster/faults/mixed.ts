import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../chaos/stage.ts';

const AT_ONCE = 3;
const SPREAD_MS = 4_000;

/** Three faults of different kinds over one another, each beginning at its own moment. */
export function mixed(faults: readonly Fault[]): Fault {
  const kindOf = ({ name }: Fault): string =>
    name.split('-').at(-1) === 'gateway' ? 'gateway' : (name.split('-')[0] as string);
  return {
    name: 'mixed',
    about: 'three faults of different kinds at the same time',
    async strike(stage) {
      const byKind = Map.groupBy(stage.random.shuffle(faults), kindOf);
      const drawn = stage.random
        .shuffle([...byKind.values()])
        .slice(0, AT_ONCE)
        .map(([first]) => first as Fault);
      const moments = drawn.map(() => stage.random.below(SPREAD_MS));
      stage.say(`mixed: ${drawn.map(({ name }, index) => `${name} after ${moments[index]} ms`).join(', ')}`);
      await Promise.all(
        drawn.map(async (fault, index) => {
          await delay(moments[index]);
          await fault.strike(stage);
        }),
      );
    },
  };
}
