import { machineLine } from '../measure/machine.ts';
import { number, table } from '../measure/table.ts';
import { latency, type LoadResult, type Second } from './result.ts';
import { escapeText, renderChart, type Chart } from './svg.ts';
import { COUNTS, TIMES, type Time } from './window.ts';

type Rows = string[][];

const TITLES: Record<Time, string> = {
  connect: 'handshake with join',
  ack: 'answer to a send',
  delivery: 'delivery',
  recovery: 'back and caught up',
  request: 'request of the scenario',
  lag: "k6's own lag",
};

/** With a larger lag than that, in milliseconds, k6 read what came to it too late. */
const LAG_MS = 20;

/** Whether the times are the cluster's alone. */
function caveatOf({ times: { lag } }: LoadResult): string {
  if (lag.p99 < LAG_MS) return '';
  return `k6 was behind (its own lag has a p99 of ${number(lag.p99)} ms): the times are in part its own. Take more shards, or give it cores of its own.`;
}

/** The tables for a terminal. */
export function renderSummary(result: LoadResult): string {
  return [
    `${headline(result)}\n${machineLine(result.machine)}; k6 ${result.k6}\n`,
    table(['ms', 'count', 'p50', 'p95', 'p99', 'max'], timeRows(result)),
    '',
    table(['', 'count'], countRows(result)),
    '',
    table(['threshold', ''], thresholdRows(result)),
    ...result.faults.map(({ second, what }) => `${second.toFixed(1)} s: ${what}`),
    caveatOf(result),
  ].join('\n');
}

/** A page of its own, with charts over time. */
export function renderPage(result: LoadResult): string {
  const { machine, k6, options, faults } = result;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeText(headline(result))}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
  table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .2rem .8rem; border-bottom: 1px solid #d8dde5; text-align: right; }
  td:first-child, th:first-child { text-align: left; } svg { width: 100%; margin: .5rem 0; font: 12px system-ui, sans-serif; }
  .title { font-weight: 600; font-size: 13px; } .grid { stroke: #e3e7ee; } .mark { stroke: #c0392b; stroke-dasharray: 4 3; stroke-width: 2; }
  .failed { color: #c0392b; } .passed { color: #1e8449; } code { font-size: 13px; overflow-wrap: anywhere; }
</style>
<h1>${escapeText(result.scenario)} <span class="${result.passed ? 'passed' : 'failed'}">${result.passed ? 'passed' : 'failed'}</span></h1>
<p>${escapeText(headline(result))}<br>${escapeText(machineLine(machine))}; k6 ${escapeText(k6)}</p>
<p class="failed">${escapeText(caveatOf(result))}</p>
${chartsOf(result).map(renderChart).join('\n')}
${faults.length === 0 ? '' : `<ul>${faults.map(({ second, what }) => `<li>${second.toFixed(1)} s: ${escapeText(what)}</li>`).join('')}</ul>`}
${htmlTable(['ms', 'count', 'p50', 'p95', 'p99', 'max'], timeRows(result))}
${htmlTable(['', 'count'], countRows(result))}
${htmlTable(['threshold', ''], thresholdRows(result))}
<p><code>${escapeText(JSON.stringify(options))}</code></p>
</html>
`;
}

function headline({ scenario, at, mostHearing, counts, passed }: LoadResult): string {
  return (
    `${scenario}: ${number(mostHearing)} sockets, ${number(counts.sends)} messages, ` +
    `${number(counts.deliveries)} deliveries, ${passed ? 'passed' : 'failed'} (${at})`
  );
}

function timeRows({ times }: LoadResult): Rows {
  return TIMES.filter((name) => times[name].count > 0).map((name) => {
    const { count, p50, p95, p99, max } = times[name];
    return [TITLES[name], number(count), ...[p50, p95, p99, max].map((ms) => number(ms, 1))];
  });
}

function countRows({ counts, errors }: LoadResult): Rows {
  return [
    ...COUNTS.map((name) => [name.replaceAll('_', ' '), number(counts[name])]),
    ...Object.entries(errors).map(([code, count]) => [`error ${code}`, number(count)]),
  ];
}

function thresholdRows({ thresholds }: LoadResult): Rows {
  return thresholds.map(({ metric, expression, ok }) => [`${metric} ${expression}`, ok ? 'holds' : 'CROSSED']);
}

function chartsOf({ series, faults }: LoadResult): Chart[] {
  const seconds = series.map(({ second }) => second);
  const ofTime = (time: Time, part: 'p50' | 'p95' | 'p99') =>
    series.map(({ times }) => (times[time] === undefined ? undefined : latency(times[time])[part]));
  const quantiles = (time: Time): Chart => ({
    title: TITLES[time],
    unit: 'ms',
    seconds,
    marks: faults,
    lines: [
      { name: 'p50', color: '#2e86c1', values: ofTime(time, 'p50') },
      { name: 'p95', color: '#d68910', values: ofTime(time, 'p95') },
      { name: 'p99', color: '#8e44ad', values: ofTime(time, 'p99') },
    ],
  });
  const counted = (title: string, unit: string, lines: [string, string, (second: Second) => number][]): Chart => ({
    title,
    unit,
    seconds,
    marks: faults,
    lines: lines.map(([name, color, value]) => ({ name, color, values: series.map(value) })),
  });
  return [
    ...TIMES.filter((time) => series.some(({ times }) => times[time] !== undefined)).map(quantiles),
    counted('messages', 'a second', [
      ['deliveries', '#2e86c1', ({ counts }) => counts.deliveries ?? 0],
      ['caught up', '#1e8449', ({ counts }) => counts.caught_up ?? 0],
    ]),
    counted('sockets', 'that hear their rooms', [['sockets', '#2e86c1', ({ hearing }) => hearing]]),
    counted('faults', 'a second', [
      ['errors', '#c0392b', ({ errors }) => Object.values(errors).reduce((sum, count) => sum + count, 0)],
      ['lost', '#d68910', ({ counts }) => counts.lost_connections ?? 0],
    ]),
  ];
}

function htmlTable(head: readonly string[], rows: Rows): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`;
}
