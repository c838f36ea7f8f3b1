import { setTimeout as delay } from 'node:timers/promises';
import { check, type Verdict } from '../checker/check.ts';
import { percentile } from './board.ts';
import type { Fault, Stage } from './stage.ts';
import { becomesTrue } from './wait.ts';

/** Of a longer pause it is said what happened meanwhile, ms. */
const LONG_PAUSE_MS = 3_000;

/** What one fault did. */
export interface Chapter {
  fault: string;
  verdict: Verdict;
  /** Since the epoch, ms: when the fault began, and when everything was put right. */
  from: number;
  to: number;
  /** From there until everybody had everything that was acknowledged up to there; undefined: never. */
  caughtUpMs: number | undefined;
  /** The longest time that one client heard nothing, ms. */
  longestPauseMs: number;
  /** Of the client in the middle, ms. */
  medianPauseMs: number;
  /** Refusals and endings that a client should not meet. */
  oddities: Record<string, number>;
}

export interface ChapterTimes {
  /** Load before the fault, ms. */
  beforeMs: number;
  /** Load after it, at least, ms. */
  afterMs: number;
  /** How long everybody may take to have everything, and all answers to come, ms. Default 60,000: nothing takes so long. */
  patienceMs?: number;
}

/** One fault under load, from a fresh record to the verdict. */
export async function playChapter(stage: Stage, fault: Fault, times: ChapterTimes): Promise<Chapter> {
  const { crowd, truth, say } = stage;
  const { patienceMs = 60_000 } = times;
  const bases = await truth.heads(crowd.roomIds);
  await crowd.restartRecords();
  crowd.speak();
  await delay(times.beforeMs);
  for (const client of crowd.clients) client.watchPauses();
  const from = Date.now();
  await fault.strike(stage);
  const to = Date.now();
  say(`${fault.name}: struck for ${((to - from) / 1_000).toFixed(1)} s`);

  const goal = await truth.heads(crowd.roomIds);
  let latest: string | undefined;
  const isCaughtUp = await becomesTrue(() => {
    const late = crowd.clients.find((client) => !client.hasReached(goal));
    if (late) latest = late.describe(goal);
    return late === undefined;
  }, patienceMs);
  const caughtUpMs = isCaughtUp ? Date.now() - to : undefined;
  if (latest !== undefined) say(`${fault.name}: the last to have everything: ${latest}`);
  await delay(times.afterMs);
  crowd.beSilent();
  const pauses = crowd.clients.map((client) => client.pauseSoFar());
  const longest = crowd.clients.toSorted((one, other) => other.longestPauseMs - one.longestPauseMs)[0];
  if (longest && longest.longestPauseMs > LONG_PAUSE_MS) {
    const { recorder, longestPauseMs, stepsInPause } = longest;
    say(`${fault.name}: ${recorder.name} heard nothing for ${longestPauseMs} ms: ${stepsInPause.join(', ')}`);
  }
  await becomesTrue(() => crowd.clients.every(({ outbox }) => outbox.size === 0), patienceMs);
  for (const { outbox } of crowd.clients) outbox.giveUp();
  const heads = await truth.heads(crowd.roomIds);
  const isComplete = await becomesTrue(() => crowd.clients.every((client) => client.hasReached(heads)), patienceMs);
  if (!isComplete) {
    const late = crowd.clients.filter((client) => !client.hasReached(heads));
    say(`${fault.name}: ${late.length} clients do not have everything, such as ${late[0]?.describe(heads)}`);
  }
  // What should not come has a moment to come.
  await delay(500);
  return {
    fault: fault.name,
    verdict: check(
      crowd.clients.map(({ recorder, rooms }) => recorder.record(rooms)),
      await truth.read(bases),
    ),
    from,
    to,
    caughtUpMs,
    longestPauseMs: Math.max(...pauses),
    medianPauseMs: percentile(pauses, 0.5),
    oddities: crowd.oddities(),
  };
}
