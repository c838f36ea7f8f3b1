const offset = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;

/** Microseconds of a clock that all processes of this machine share and nobody sets. */
export function nowMicros(): number {
  return performance.now() * 1000 + offset;
}
