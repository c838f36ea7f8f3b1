/** One line of a chart: values by second, undefined where there is none. */
export interface Line {
  name: string;
  color: string;
  values: readonly (number | undefined)[];
}

export interface Chart {
  title: string;
  unit: string;
  /** Seconds, the same for all lines. */
  seconds: readonly number[];
  lines: readonly Line[];
  /** Moments to point out. */
  marks: readonly { second: number; what: string }[];
}

const [WIDTH, HEIGHT] = [900, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 15, 34, 28];
const TICKS = 5;

/** A chart as SVG, without anything outside of it. */
export function renderChart({ title, unit, seconds, lines, marks }: Chart): string {
  const from = Math.min(...seconds);
  const to = Math.max(from + 1, ...seconds);
  const top = roundUp(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const x = (second: number): number => LEFT + ((second - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);

  const grid = Array.from({ length: TICKS + 1 }, (_, tick) => {
    const value = (top * tick) / TICKS;
    const second = from + ((to - from) * tick) / TICKS;
    return (
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" class="grid"/>` +
      `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${Number(value.toPrecision(3)).toLocaleString('en-US')}</text>` +
      `<text x="${x(second)}" y="${HEIGHT - 8}" text-anchor="middle">${Math.round(second)} s</text>`
    );
  });
  const legend = lines.map(
    ({ name, color }, index) =>
      `<rect x="${LEFT + 260 + index * 120}" y="9" width="12" height="12" fill="${color}"/>` +
      `<text x="${LEFT + 278 + index * 120}" y="20">${escapeText(name)}</text>`,
  );
  const moments = marks.map(
    ({ second, what }) =>
      `<line x1="${x(second)}" x2="${x(second)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="mark">` +
      `<title>${escapeText(what)}, ${second.toFixed(1)} s</title></line>`,
  );
  const paths = lines.map(
    ({ color, values }) =>
      `<path d="${pathOf(values, seconds, x, y)}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
  );
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">` +
    `<text x="${LEFT}" y="20" class="title">${escapeText(title)}, ${escapeText(unit)}</text>` +
    `${[...legend, ...grid, ...moments, ...paths].join('')}</svg>`
  );
}

/** A line that is interrupted where there are no values. */
function pathOf(
  values: readonly (number | undefined)[],
  seconds: readonly number[],
  x: (second: number) => number,
  y: (value: number) => number,
): string {
  let isDrawing = false;
  return values
    .map((value, index) => {
      if (value === undefined) {
        isDrawing = false;
        return '';
      }
      const step = `${isDrawing ? 'L' : 'M'}${x(seconds[index] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
      isDrawing = true;
      return step;
    })
    .join('');
}

/** To 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= value) ?? value;
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
