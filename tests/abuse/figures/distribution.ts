/** The value below which a share of the sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/** One line: how many, and percentiles in ms. */
export function describe(name: string, values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const figures = SHARES.map((share) => `p${share * 100} ${percentile(sorted, share).toFixed(2)}`);
  return `${name.padEnd(28)} n=${String(values.length).padEnd(6)} ${figures.join('  ')} ms`;
}

/**
 * How far apart two samples are, in standard errors of the rank sum (Mann-Whitney): between -2 and 2 nobody can tell
 * them apart, whatever the form of the noise.
 */
export function rankDistance(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((value) => ({ value, isOne: true })), ...other.map((value) => ({ value, isOne: false }))];
  all.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  for (const [index, { isOne }] of all.entries()) if (isOne) rankSum += index + 1;
  const u = rankSum - (one.length * (one.length + 1)) / 2;
  const mean = (one.length * other.length) / 2;
  return (u - mean) / Math.sqrt((one.length * other.length * (all.length + 1)) / 12);
}
