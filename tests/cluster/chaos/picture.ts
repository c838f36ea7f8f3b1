/** One second of a run. */
export interface Moment {
  /** Since the epoch, s. */
  at: number;
  delivered: number;
  p50: number;
  p99: number;
}

/** A span that is marked and named. Times since the epoch, ms. */
export interface Mark {
  fault: string;
  from: number;
  to: number;
}

const WIDTH = 1_400;
const LEFT = 70;
const RIGHT = 20;
const PANEL = 220;
const TOPS = { deliveries: 130, latency: 130 + PANEL + 50 };
const HEIGHT = TOPS.latency + PANEL + 40;
const LEAST_MS = 1;

/** Deliveries a second above, latency below (logarithmic), and the faults over both. An SVG document. */
export function drawPicture(moments: readonly Moment[], marks: readonly Mark[]): string {
  const start = moments[0]?.at ?? 0;
  const length = Math.max(1, (moments.at(-1)?.at ?? start) - start);
  const x = (at: number): number => round(LEFT + ((at - start) / length) * (WIDTH - LEFT - RIGHT));
  const mostDelivered = Math.max(1, ...moments.map(({ delivered }) => delivered));
  const slowest = Math.max(1_000, ...moments.map(({ p99 }) => p99));
  const yDelivered = (count: number): number => round(TOPS.deliveries + PANEL * (1 - count / mostDelivered));
  const yLatency = (ms: number): number =>
    round(TOPS.latency + PANEL * (1 - Math.log10(Math.max(LEAST_MS, ms)) / Math.log10(slowest)));
  const line = (points: string[], color: string): string =>
    `<polyline fill="none" stroke="${color}" stroke-width="1.2" points="${points.join(' ')}"/>`;
  const heard = moments.filter(({ delivered }) => delivered > 0);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...marks.map((mark) => drawMark(mark, x)),
    ...axis(
      TOPS.deliveries,
      'deliveries/s',
      [0, mostDelivered / 2, mostDelivered].map((value) => [Math.round(value), yDelivered(value)]),
    ),
    ...axis(
      TOPS.latency,
      'latency, ms: p50 blue, p99 red',
      decades(slowest).map((value) => [value, yLatency(value)]),
    ),
    line(
      moments.map(({ at, delivered }) => `${x(at)},${yDelivered(delivered)}`),
      '#333',
    ),
    line(
      heard.map(({ at, p50 }) => `${x(at)},${yLatency(p50)}`),
      '#1565c0',
    ),
    line(
      heard.map(({ at, p99 }) => `${x(at)},${yLatency(p99)}`),
      '#c62828',
    ),
    ...every(length).map(
      (second) => `<text x="${x(start + second)}" y="${HEIGHT - 15}" text-anchor="middle">${second} s</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

function drawMark({ fault, from, to }: Mark, x: (at: number) => number): string {
  const [left, right] = [x(from / 1_000), x(to / 1_000)];
  const width = Math.max(2, round(right - left));
  return (
    `<rect x="${left}" y="${TOPS.deliveries}" width="${width}" height="${HEIGHT - TOPS.deliveries - 40}" fill="#ffb74d" opacity="0.35"/>` +
    `<text transform="translate(${left + 4},${TOPS.deliveries - 6}) rotate(-45)">${fault}</text>`
  );
}

function axis(top: number, title: string, ticks: readonly (readonly [number, number])[]): string[] {
  return [
    `<text x="${LEFT}" y="${top + PANEL + 16}" font-weight="bold">${title}</text>`,
    ...ticks.map(
      ([value, y]) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#ddd"/>` +
        `<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${value}</text>`,
    ),
  ];
}

function decades(most: number): number[] {
  const values: number[] = [];
  for (let value = LEAST_MS; value <= most; value *= 10) values.push(value);
  return values;
}

function every(length: number): number[] {
  const step = [10, 30, 60, 120, 300, 600].find((seconds) => length / seconds <= 14) ?? 1_800;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
