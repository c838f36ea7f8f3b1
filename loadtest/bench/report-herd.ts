import { number, table } from '../measure/table.ts';
import type { Herd } from './herd.ts';

/** Who came back when, and what the others heard meanwhile. */
export function herdReport({ before, totals }: Herd): string {
  const { lost, absent, back, failures, othersLost, others, othersBySecond, lateness } = totals;
  const countOf = (by: Record<string, number>): string =>
    number(Object.values(by).reduce((sum, count) => sum + count, 0));
  const backTable = table(
    ['clients of the gateway', 'half back s', '99 % s', 'all s', 'still away', 'failed attempts', 'messages caught up'],
    [
      [
        number(lost),
        ...[back.half, back.most, back.all].map((seconds) => number(seconds, 1)),
        number(absent),
        countOf(failures),
        number(totals.caughtUp),
      ],
    ],
  );
  const streams = table(
    [
      'all streams',
      'missing',
      'repeated',
      'out of order',
      'cut',
      'others lost',
      'sends refused',
      'unanswered',
      'late p99 ms',
    ],
    [
      [
        '',
        ...[totals.missing, totals.repeats, totals.reordered, totals.resyncs].map((count) => number(count)),
        countOf(othersLost),
        countOf(totals.errors),
        number(totals.unanswered),
        number(lateness.p99, 1),
      ],
    ],
  );
  const row = (name: string, { count, p50, p95, p99, max }: Herd['totals']['others']): string[] => [
    name,
    number(count),
    ...[p50, p95, p99, max].map((ms) => number(ms, 1)),
  ];
  const times = table(
    ["the others' deliveries", 'count', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
    [
      row('before the kill (everybody)', before.latency),
      row('until all were back', others),
      ...othersBySecond.map((second, index) => row(`sent in second ${index + 1}`, second)),
    ],
  );
  const reasons = [...Object.entries(failures), ...Object.entries(othersLost)];
  return [
    backTable,
    ...(reasons.length === 0 ? [] : [`\n${reasons.map(([reason, count]) => `${number(count)} ${reason}`).join('; ')}`]),
    `\n${streams}`,
    `\n${times}`,
  ].join('\n');
}
