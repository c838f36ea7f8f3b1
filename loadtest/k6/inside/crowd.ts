import exec from 'k6/execution';
import { setInterval, clearInterval, setTimeout } from 'k6/timers';
import type { Plan } from '../plan.ts';
import { Client } from './client.ts';
import { compareWithHeads } from './compare.ts';
import { Recorder } from './metrics.ts';

declare const __ENV: Record<string, string | undefined>;

/** What the runner wants of this k6. */
export const plan = JSON.parse(__ENV['PLAN'] ?? '{}') as Plan;

const vus = Math.ceil((plan.to - plan.from) / plan.socketsPerVu);

/** How k6 runs a script: each virtual user keeps its sockets in one iteration that lasts as long as the run. */
export const options = {
  scenarios: {
    crowd: {
      executor: 'per-vu-iterations',
      vus,
      iterations: 1,
      maxDuration: `${Math.ceil(plan.endAtMs / 1000) + 60}s`,
      gracefulStop: '5s',
      exec: 'run',
    },
  },
  thresholds: plan.thresholds,
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'],
  // Without tags all sockets are one series.
  systemTags: [],
};

/** The summary goes to the runner. */
export function handleSummary(data: unknown): Record<string, string> {
  return { [plan.summary]: JSON.stringify(data) };
}

/** The clients of one virtual user. */
export interface Crowd {
  readonly clients: readonly Client[];
  readonly recorder: Recorder;
  /** Runs something so many times a second, shared by all clients of the run, while there is load. */
  atRate(perSecond: number, act: () => void): void;
  /** At a time of the plan. */
  at(ms: number, act: () => void): void;
  /** The clients that hear their rooms, one after the other. */
  next(): Client | undefined;
}

/** A timer costs k6 as much as a delivery, so what is due sooner waits for it. */
const SHORTEST_TIMER_MS = 2;

/** Connects this virtual user's clients in their turn, keeps the clock, checks the streams in the end, and lets go. */
export function startCrowd(): Crowd {
  const recorder = new Recorder(plan.sample);
  const place = exec.vu.idInTest - 1;
  const numbers = Array.from({ length: plan.socketsPerVu }, (_, turn) => plan.from + turn * vus + place).filter(
    (number) => number < plan.to,
  );
  const clients = numbers.map((number) => newClient(number, recorder));
  const timers: ReturnType<typeof setInterval>[] = [];
  const untilMs = (ms: number): number => Math.max(1, plan.startAt + ms - Date.now());
  const at: Crowd['at'] = (ms, act) => void setTimeout(act, untilMs(ms));

  clients.forEach((client, index) => {
    const number = numbers[index] ?? 0;
    const dueMs = ((number - plan.from) / plan.connectRate) * 1000;
    at(dueMs, () => {
      recorder.time('lag', Math.max(0, Date.now() - plan.startAt - dueMs));
      client.open();
    });
  });
  at(plan.measureAtMs, () => (recorder.measuring = true));
  const flush = (): void => {
    const second = Math.floor((Date.now() - plan.startAt) / 1000);
    if (second < 0) return;
    recorder.flush({ vu: place, second, hearing: clients.filter(({ isHearing }) => isHearing).length });
  };
  timers.push(setInterval(flush, 1_000));
  let isCompared = false;
  at(plan.compareAtMs, () => {
    for (const { unanswered } of clients) recorder.count('unanswered', unanswered);
    compareWithHeads(clients, recorder, { names: `${plan.run}-`, done: () => (isCompared = true) });
  });
  at(plan.endAtMs, () => {
    for (const timer of timers) clearInterval(timer);
    if (!isCompared) recorder.error('NOT_COMPARED');
    flush();
    for (const client of clients) client.close();
  });

  let turn = 0;
  return {
    clients,
    recorder,
    at,
    next() {
      for (let tries = 0; tries < clients.length; tries += 1) {
        turn = (turn + 1) % clients.length;
        if (clients[turn]?.isHearing === true) return clients[turn];
      }
      return undefined;
    },
    atRate(perSecond, act) {
      if (perSecond === 0) return;
      const gapMs = (1_000 * plan.clients) / (perSecond * clients.length);
      const stopAt = plan.startAt + plan.stopAtMs;
      // Virtual users begin at different times, or all would act in the same moments for ever.
      let due = plan.startAt + plan.loadAtMs + Math.random() * gapMs;
      const next = (): void => {
        if (due < stopAt) setTimeout(step, Math.max(SHORTEST_TIMER_MS, due - Date.now()));
      };
      const step = (): void => {
        for (const now = Date.now(); due <= now && due < stopAt; due += gapMs) act();
        next();
      };
      next();
    },
  };
}

/** Everybody sends in turn. */
export function chat(crowd: Crowd, may: (client: Client) => boolean = () => true): void {
  let room = 0;
  crowd.atRate(plan.rate, () => {
    const client = crowd.next();
    if (client === undefined || !may(client)) return;
    room += 1;
    const heard = client.rooms[room % client.rooms.length];
    if (heard?.hears === true) client.send(heard);
  });
}

function newClient(number: number, recorder: Recorder): Client {
  const rooms = Array.from({ length: plan.roomsPerClient }, (_, step) => {
    // Neighbours of a room meet different others in their next one.
    const room = (number + step * (1 + Math.floor(number / plan.rooms))) % plan.rooms;
    return `${plan.run}-${room}`;
  });
  return new Client({
    url: plan.urls[number % plan.urls.length] ?? '',
    jwtSecret: plan.jwtSecret,
    userId: `${plan.run}-u${number}`,
    rooms: [...new Set(rooms)],
    bytes: plan.bytes,
    recorder,
    until: plan.startAt + plan.stopAtMs,
  });
}
