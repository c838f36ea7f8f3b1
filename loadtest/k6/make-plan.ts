import type { LoadOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { PROMISES, scenarios } from './scenarios.ts';

/** Before the first connection k6 has to start, and to make its virtual users and the tokens of their clients. */
const START_MS = 2_000;
const PER_VU_MS = 50;
const PER_CLIENT_MS = 0.2;
/** The heads of all rooms are read at the end by every virtual user, a hundred at a time. */
const COMPARE_MS = 2_000;
const PER_ROOM_MS = 1;
/** Deliveries a second whose times are taken. */
const SAMPLED = 500;

/** Lays out a run: who is where, and what happens when. */
export function makePlan(
  options: LoadOptions,
  cluster: { urls: readonly string[]; jwtSecret: string; ownFault: boolean },
  files: { summary: string; now: number },
): Plan {
  const { scenario, clients, rooms, roomsPerClient, rate, shard } = options;
  const from = Math.floor((clients * (shard.place - 1)) / shard.of);
  const to = Math.floor((clients * shard.place) / shard.of);
  const vus = Math.ceil((to - from) / options.socketsPerVu);
  const startMs = START_MS + vus * PER_VU_MS + Math.ceil((to - from) * PER_CLIENT_MS);
  const settleMs = options.settle * 1_000;
  const loadAtMs = (clients / options.connectRate) * 1_000 + settleMs;
  const measureAtMs = loadAtMs + options.warmUp * 1_000;
  const stopAtMs = measureAtMs + options.duration * 1_000;
  const compareAtMs = stopAtMs + settleMs;
  const heardPerSecond = (rate * clients * roomsPerClient) / rooms / shard.of;
  return {
    scenario,
    run: options.run ?? `load-${files.now.toString(36)}`,
    urls: cluster.urls,
    jwtSecret: cluster.jwtSecret,
    clients,
    rooms,
    roomsPerClient,
    from,
    to,
    socketsPerVu: options.socketsPerVu,
    connectRate: options.connectRate / shard.of,
    rate,
    bytes: options.bytes,
    startAt: options.at === undefined ? files.now + startMs : options.at * 1_000,
    loadAtMs,
    measureAtMs,
    stopAtMs,
    compareAtMs,
    endAtMs: compareAtMs + COMPARE_MS + rooms * PER_ROOM_MS,
    ...(scenario === 'reconnect-herd' && !cluster.ownFault && { cutAtMs: faultAtMs({ measureAtMs, stopAtMs }) }),
    cutPart: 1 / 3,
    actions: options.actions,
    sample: Math.max(1, Math.round(heardPerSecond / SAMPLED)),
    thresholds: { ...PROMISES, ...scenarios[scenario].thresholds },
    summary: files.summary,
  };
}

/** When something is broken: early, so that there is time to see what follows. */
export function faultAtMs({ measureAtMs, stopAtMs }: Pick<Plan, 'measureAtMs' | 'stopAtMs'>): number {
  return measureAtMs + (stopAtMs - measureAtMs) / 5;
}
