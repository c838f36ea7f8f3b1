import { number, table } from '../measure/table.ts';
import type { Arrival } from './connect.ts';
import type { Measured } from './measure-target.ts';

/** How the crowds arrived; at a rate also those who came again. */
export function connections(targets: readonly Measured[]): string {
  const row = (name: string, { opened, perSecond, cpu, redisCalls }: Arrival): string[] => {
    const { hearing, failures, handshake, lateness } = opened;
    return [
      name,
      number(hearing),
      number(Object.values(failures).reduce((sum, count) => sum + count, 0)),
      number(perSecond),
      ...[handshake.p50, handshake.p95, handshake.p99, handshake.max].map((ms) => number(ms, 1)),
      lateness.count === 0 ? '-' : number(lateness.p99, 1),
      number((1_000 * (cpu.gateways + cpu.haproxy + cpu.redis + cpu.postgres)) / hearing, 2),
      number(redisCalls, 1),
    ];
  };
  const head = ['', 'sockets', 'refused', 'per second', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'late p99 ms'];
  return table(
    [...head, 'CPU ms each', 'Redis calls each'],
    targets.flatMap(({ name, connecting }) => [
      row(connecting.again === undefined ? name : `${name}, new users`, connecting),
      ...(connecting.again === undefined ? [] : [row(`${name}, the same again`, connecting.again)]),
    ]),
  );
}

/** Of the gateways, idle, with all connections. */
export function memory(targets: readonly Measured[]): string {
  return table(
    [
      '',
      'empty MB',
      'KB for a connection',
      'idle CPU % of a core',
      'connections of the churn',
      'MB before',
      'MB after',
    ],
    targets.map(({ name, connecting: { bytesPerConnection, emptyGatewaysBytes, idleCpu }, churn }) => [
      name,
      number(emptyGatewaysBytes / 1e6),
      number(bytesPerConnection / 1024, 1),
      number(idleCpu * 100, 1),
      ...(churn === undefined
        ? ['-', '-', '-']
        : [number(churn.connections), number(churn.bytesBefore / 1e6), number(churn.bytesAfter / 1e6)]),
    ]),
  );
}
