import type { Target } from '../target/target.ts';
import type { Generators } from './generators.ts';
import type { BenchOptions } from './options.ts';

/** What one target is measured with. */
export interface MeasureOptions {
  target: Target;
  generators: Generators;
  options: BenchOptions;
  name: string;
  say: (line: string) => void;
}
