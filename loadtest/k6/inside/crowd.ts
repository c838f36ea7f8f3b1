import exec from 'k6/execution';
import { setInterval, clearInterval, setTimeout } from 'k6/timers';
import type { Plan } from '../plan.ts';
import { Client } from './client.ts';
import type { Message } from './heard-rooms.ts';
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

const TICK_MS = 5;

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
    at(((number - plan.from) / plan.connectRate) * 1000, () => client.open());
  });
  at(plan.measureAtMs, () => (recorder.measuring = true));
  const flush = (): void => {
    const second = Math.floor((Date.now() - plan.startAt) / 1000);
    if (second < 0) return;
    recorder.flush({ vu: place, second, hearing: clients.filter(({ isHearing }) => isHearing).length });
  };
  timers.push(setInterval(flush, 1_000));
  at(plan.endAtMs - 1_000, () => compareWithHeads(clients, recorder));
  at(plan.endAtMs, () => {
    for (const timer of timers) clearInterval(timer);
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
      const own = (perSecond * clients.length) / plan.clients;
      at(plan.loadAtMs + Math.random() * TICK_MS, () => {
        const begin = Date.now();
        let done = 0;
        const timer = setInterval(() => {
          const elapsed = Math.min(Date.now(), plan.startAt + plan.stopAtMs) - begin;
          for (const due = Math.floor((elapsed / 1000) * own); done < due; done += 1) act();
        }, TICK_MS);
        at(plan.stopAtMs + 2 * TICK_MS, () => clearInterval(timer));
      });
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

/** Finds what is missing at the end of a stream: somebody of this virtual user asks for the head of each room. */
function compareWithHeads(clients: readonly Client[], recorder: Recorder): void {
  for (const { unanswered } of clients) recorder.count('unanswered', unanswered);
  const asked = new Set<string>();
  for (const { rooms } of clients) for (const { id, hears } of rooms) if (id !== '' && hears) asked.add(id);
  for (const roomId of asked) {
    const client = clients.find(
      ({ isHearing, rooms }) => isHearing && rooms.some(({ id, hears }) => id === roomId && hears),
    );
    client?.request('message:history', { roomId, limit: 1 }, ({ messages }: { messages: Message[] }) => {
      const head = messages.at(-1)?.seq ?? 0;
      for (const { isHearing, rooms } of clients) {
        const room = rooms.find(({ id, hears }) => id === roomId && hears);
        if (isHearing && room !== undefined) recorder.count('gaps', room.check.missing(head));
      }
    });
  }
}
