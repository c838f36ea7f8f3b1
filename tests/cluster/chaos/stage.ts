import type { ChaosCluster } from './cluster.ts';
import type { Crowd } from './crowd.ts';
import type { Random } from './random.ts';
import type { TruthReader } from './read-truth.ts';

/** What a fault can lay hands on. */
export interface Stage {
  cluster: ChaosCluster;
  crowd: Crowd;
  truth: TruthReader;
  random: Random;
  /** Multiplies how long faults last: 1 as described, less for short tests. */
  pace: number;
  say: (line: string) => void;
}

/** Something that goes wrong. */
export interface Fault {
  name: string;
  about: string;
  /** Does it, and puts it right again. Resolves when everything is there again that a client needs. */
  strike(stage: Stage): Promise<void>;
}
