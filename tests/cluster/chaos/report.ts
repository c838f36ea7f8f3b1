import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { percentile, type Board } from './board.ts';
import type { Chapter } from './chapter.ts';
import type { ChaosOptions } from './options.ts';
import { drawPicture } from './picture.ts';

const EXAMPLES = 20;

/** One line a fault. */
export function summaryTable(chapters: readonly Chapter[]): string {
  const rows = chapters.map(({ fault, verdict, caughtUpMs, longestPauseMs, medianPauseMs, oddities }) => [
    fault,
    String(verdict.anomalies.length),
    String(verdict.acked),
    String(verdict.delivered),
    String(verdict.sessions),
    String(verdict.truncated),
    String(verdict.resyncs),
    caughtUpMs === undefined ? 'never' : seconds(caughtUpMs),
    seconds(medianPauseMs),
    seconds(longestPauseMs),
    [...Object.entries(verdict.counts).filter(([, count]) => count > 0), ...Object.entries(oddities)]
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  ]);
  const head = [
    'fault',
    'anomalies',
    'acked',
    'heard',
    'sockets',
    'truncated',
    'resyncs',
    'all had all',
    'pause p50',
    'pause max',
    '',
  ];
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 || column === 10 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Writes report.json and timeline.svg. @returns their paths */
export async function writeReport(
  options: ChaosOptions,
  chapters: readonly Chapter[],
  board: Board,
): Promise<string[]> {
  const { directory, faults, ...settings } = options;
  const timeline = board.timeline().map(({ at, delivered, acked, latencies, ackLatencies }) => ({
    at,
    delivered,
    acked,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    ackP99: percentile(ackLatencies, 0.99),
  }));
  const report = {
    ...settings,
    faults: faults.map(({ name, about }) => ({ name, about })),
    chapters: chapters.map(({ verdict: { anomalies, ...counted }, ...chapter }) => ({
      ...chapter,
      ...counted,
      examples: anomalies.slice(0, EXAMPLES),
    })),
    timeline,
  };
  const paths = { report: join(directory, 'report.json'), picture: join(directory, 'timeline.svg') };
  await writeFile(paths.report, `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(paths.picture, drawPicture(timeline, chapters));
  return Object.values(paths);
}
