import { startCrowd } from '../inside/crowd.ts';

export { handleSummary, options } from '../inside/crowd.ts';

/** Connecting is all. */
export function run(): void {
  startCrowd();
}
