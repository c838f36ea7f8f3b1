/** Buckets an octave. A value is known to within 1/64, and is never reported as less than it was. */
const PRECISION_BITS = 6;
const PER_OCTAVE = 2 ** PRECISION_BITS;
const LARGEST = 2 ** 31 - 1;
const BUCKETS = (32 - PRECISION_BITS) * PER_OCTAVE;

/** A histogram as it travels between processes: place and count of each bucket that is not empty. */
export type Counts = [bucket: number, count: number][];

/**
 * Times in whole microseconds, from 0 to half an hour, in a few kilobytes whatever their number. Plain enough for k6,
 * whose own trends keep every value.
 */
export class Histogram {
  readonly #buckets = new Float64Array(BUCKETS);
  /** Between these are all values; to look at every bucket would be most of the work where a histogram is sent each second. */
  #lowest = BUCKETS;
  #highest = -1;
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** Microseconds; 0 if there are no values. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Microseconds, to the precision of the buckets; 0 if there are no values. */
  get max(): number {
    return this.#max;
  }

  /** Negative values, which clocks may bring about, count as 0. */
  add(micros: number): void {
    const value = micros <= 0 ? 0 : micros >= LARGEST ? LARGEST : Math.round(micros);
    this.#addTo(bucketOf(value), 1);
  }

  /** Adds the counts of another histogram. */
  merge(counts: Counts): void {
    for (const [bucket, count] of counts) this.#addTo(bucket, count);
  }

  /** The value that the share `part` (0 to 1) of all values does not exceed, in microseconds; 0 if there are none. */
  quantile(part: number): number {
    const wanted = Math.max(1, Math.ceil(part * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= wanted) return upperEdge(bucket);
    }
    return 0;
  }

  counts(): Counts {
    const counts: Counts = [];
    for (let bucket = this.#lowest; bucket <= this.#highest; bucket += 1) {
      const count = this.#buckets[bucket] ?? 0;
      if (count > 0) counts.push([bucket, count]);
    }
    return counts;
  }

  clear(): void {
    if (this.#count > 0) this.#buckets.fill(0, this.#lowest, this.#highest + 1);
    this.#lowest = BUCKETS;
    this.#highest = -1;
    this.#count = 0;
    this.#sum = 0;
    this.#max = 0;
  }

  #addTo(bucket: number, count: number): void {
    const value = upperEdge(bucket);
    if (bucket < this.#lowest) this.#lowest = bucket;
    if (bucket > this.#highest) this.#highest = bucket;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + count;
    this.#count += count;
    this.#sum += value * count;
    if (value > this.#max) this.#max = value;
  }
}

/** What is told of a histogram, in milliseconds. */
export interface Latency {
  count: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export function latencyOf(histogram: Histogram): Latency {
  const ms = (micros: number): number => Math.round(micros / 10) / 100;
  return {
    count: histogram.count,
    mean: ms(histogram.mean),
    p50: ms(histogram.quantile(0.5)),
    p95: ms(histogram.quantile(0.95)),
    p99: ms(histogram.quantile(0.99)),
    max: ms(histogram.max),
  };
}

function bucketOf(value: number): number {
  if (value < PER_OCTAVE) return value;
  const shift = 31 - Math.clz32(value) - PRECISION_BITS;
  return (shift + 1) * PER_OCTAVE + ((value >>> shift) & (PER_OCTAVE - 1));
}

function upperEdge(bucket: number): number {
  if (bucket < PER_OCTAVE) return bucket;
  const shift = Math.floor(bucket / PER_OCTAVE) - 1;
  return (PER_OCTAVE + (bucket % PER_OCTAVE) + 1) * 2 ** shift - 1;
}
