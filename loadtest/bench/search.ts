/** Looks for the highest rate that passes. Rates are deliveries a second. */
export interface SearchOptions<Step> {
  /** Where it begins. */
  start: number;
  /** No rate above it is tried. */
  limit: number;
  /** It ends when the highest that passed and the lowest that did not are so close, as a share: 0.1 is 10 %. */
  precision: number;
  /** Runs one step. */
  run: (rate: number) => Promise<Step>;
  passes: (step: Step) => boolean;
}

export interface SearchResult<Step> {
  /** The step with the highest rate that passed; undefined when none did. */
  best: Step | undefined;
  /** All of them, in their order. */
  steps: Step[];
}

/** A rate is tried a second time before it counts as failed: a cluster that has a machine to share hiccups. */
const TRIES = 2;
const GROWTH = 1.6;
/** Where a search that only fails gives up, as a share of its start. */
const LOWEST = 1 / 50;

/** Goes up in large steps until a rate fails, then halves the distance. */
export async function searchHighest<Step>(options: SearchOptions<Step>): Promise<SearchResult<Step>> {
  const { start, limit, precision, passes } = options;
  const steps: Step[] = [];
  const attempt = async (rate: number): Promise<Step | undefined> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const step = await options.run(rate);
      steps.push(step);
      if (passes(step)) return step;
    }
    return undefined;
  };

  let best: Step | undefined;
  let passed = 0;
  let failed = Number.POSITIVE_INFINITY;
  let rate = Math.min(start, limit);
  while (rate > start * LOWEST) {
    const step = await attempt(rate);
    if (step === undefined) {
      failed = rate;
    } else {
      best = step;
      passed = rate;
    }
    if (passed >= limit || failed * (1 - precision) <= passed) break;
    if (failed === Number.POSITIVE_INFINITY) rate = Math.min(limit, passed * GROWTH);
    else rate = passed === 0 ? failed / GROWTH ** 2 : Math.sqrt(passed * failed);
  }
  return { best, steps };
}
