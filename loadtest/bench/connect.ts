import { setTimeout as sleep } from 'node:timers/promises';
import { goingFirst } from '../measure/going-first.ts';
import type { CostMeter, Cpu } from './costs.ts';
import type { OpenedAll } from './totals.ts';
import type { MeasureOptions } from './measure-options.ts';
import { warmUp } from './warm-up.ts';

/** How the whole crowd connected and joined. */
export interface Arrival {
  opened: OpenedAll;
  perSecond: number;
  /** What all handshakes and joins took together. */
  cpu: Cpu;
  /** Calls of Redis for each connection. */
  redisCalls: number;
}

/** What connections take and what they leave, at first by users whom the cluster does not know. */
export interface Connecting extends Arrival {
  /** The same once more, by known users; only at a rate. */
  again?: Arrival;
  /** Resident bytes of the gateways over the empty ones, by connection, after they were idle for a while. */
  bytesPerConnection: number;
  emptyGatewaysBytes: number;
  /** Share of one core that all gateways together take while nothing is sent. */
  idleCpu: number;
}

export async function connect(given: MeasureOptions, meter: CostMeter): Promise<Connecting> {
  const { target, generators, options, say } = given;
  const { clients, rooms, bytes, opening, connectRate } = options;
  const idleMs = options.idle * 1_000;
  await sleep(idleMs);
  const emptyGatewaysBytes = meter.gatewayMemory();
  const perSecond = connectRate === 0 ? undefined : connectRate;
  if (perSecond !== undefined && options.warmClients > 0) {
    await warmUp(generators, target, options.warmClients);
    await untilTheyLeft(idleMs);
  }
  const crowd = { name: 'bench', clients, rooms, bytes, opening, urls: target.urls, jwtSecret: target.jwtSecret };
  const pinned = target.kind === 'bare' ? { pinTo: options.replicas } : {};
  const openAll = (): Promise<OpenedAll> => generators.open({ ...crowd, ...pinned }, perSecond);
  const arrival = await arrive(meter, perSecond === undefined ? openAll : () => goingFirst(generators.pids, openAll));
  say(`  ${lineOf(arrival)}`);
  // What the handshakes left behind is collected, and the roster of the newcomers is told.
  await sleep(idleMs);
  const idle = await meter.cpuOf(() => sleep(idleMs));
  const connecting: Connecting = {
    ...arrival,
    bytesPerConnection: (meter.gatewayMemory() - emptyGatewaysBytes) / arrival.opened.hearing,
    emptyGatewaysBytes,
    idleCpu: idle.cpu.gateways / options.idle,
  };
  if (perSecond === undefined) return connecting;
  await generators.close();
  await untilTheyLeft(idleMs);
  const again = await arrive(meter, () => goingFirst(generators.pids, () => generators.mend(perSecond)));
  say(`  once more: ${lineOf(again)}`);
  return { ...connecting, again };
}

/** A gateway waits for those who left (3 s by default) before it tells others; then it takes the crowd's leave. */
async function untilTheyLeft(idleMs: number): Promise<void> {
  await sleep(2 * idleMs);
}

async function arrive(meter: CostMeter, open: () => Promise<OpenedAll>): Promise<Arrival> {
  const {
    result: { result: opened, cpu },
    stores,
  } = await meter.storeWorkOf(
    () => meter.cpuOf(open),
    () => 0,
    0,
  );
  return {
    opened,
    perSecond: opened.hearing / opened.seconds,
    cpu,
    redisCalls: Object.values(stores.redis).reduce((sum, calls) => sum + calls, 0) / opened.hearing,
  };
}

function lineOf({ opened, perSecond }: Arrival): string {
  const { hearing, handshake, failures } = opened;
  return [
    `${hearing} sockets hear their rooms, ${Math.round(perSecond)}/s`,
    `handshake with join p50 ${handshake.p50} p95 ${handshake.p95} p99 ${handshake.p99} max ${handshake.max} ms`,
    ...Object.entries(failures).map(([reason, count]) => `${count} ${reason}`),
  ].join(', ');
}
