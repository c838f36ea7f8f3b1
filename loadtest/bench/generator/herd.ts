import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram, type Counts } from '../../measure/histogram.ts';
import type { Client } from './client.ts';
import { nowMicros } from './clock.ts';
import { BACK_OFF, comeBack, type BackOff } from './come-back.ts';
import { untilQuiet } from './quiet.ts';
import { sendSteadily, type SendOptions } from './send.ts';

const POLL_MS = 20;
/** After the last message. */
const LONGEST_ABSENCE_MS = 60_000;

export interface HerdOptions extends SendOptions {
  /** From the kill on. */
  seconds: number;
  /** The gateway that is killed, by the name with which its session ids begin. */
  victim: string;
  /** When, in microseconds of `nowMicros`. */
  killAt: number;
  /** Default: as the libraries have it. */
  backOff?: BackOff;
}

/** What a generator saw of the death of a gateway. Times are histograms of microseconds. */
export interface HerdCounts {
  /** Clients whose connection was on the gateway, and those of them that were not back in the end. */
  lost: number;
  absent: number;
  /** From the kill until its stream was whole again, for each that came back. */
  back: Counts;
  /** Attempts to come back that failed, by reason. */
  failures: Record<string, number>;
  /** Connections on other gateways that ended, by reason. */
  othersLost: Record<string, number>;
  /**
   * From the send to the delivery, for clients that were not on the gateway, by the second after the kill in which it
   * was sent. What was sent before the kill and came after it counts in the first.
   */
  others: Counts[];
  sent: number;
  acked: number;
  /** Sends that were lost with their connection: nobody knows whether they became messages. */
  unanswered: number;
  /** Sends that were refused, by code. */
  errors: Record<string, number>;
  deliveries: number;
  /** Messages that syncs brought, and syncs that could not bring all. */
  caughtUp: number;
  truncated: number;
  missing: number;
  reordered: number;
  repeats: number;
  /** Streams that a server said it can't continue; they were synced. */
  resyncs: number;
  /** How long after its time a message was sent: the generator's own lag. */
  lateness: Counts;
}

/**
 * Talks at a steady rate while somebody kills a gateway. Its clients come back by themselves, everybody goes on talking,
 * and in the end every stream is compared with the room's head.
 */
export async function runHerd(options: HerdOptions): Promise<HerdCounts> {
  const { clients, tally, victim, killAt, seconds } = options;
  tally.reset();
  const herd = new Herd(options);
  for (const client of clients) herd.watch(client, client.gateway === victim);

  await sendSteadily({ ...options, seconds: (killAt - nowMicros()) / 1e6 + seconds });
  await herd.untilBack(LONGEST_ABSENCE_MS);
  await untilQuiet(tally, () => clients.every(({ pending }) => pending === 0));
  // Of what was sent to the gateway as it died, something may be stored of which nobody was told.
  await learnHeads(clients);
  await untilQuiet(tally, () => clients.every(({ isHearing, stream }) => !isHearing || stream.isWhole));
  herd.end();
  for (const client of clients) client.settle();
  const { sent, acked, unanswered, errors, deliveries, missing, reordered, repeats, resyncs, lateness } =
    tally.result();
  return {
    ...herd.result(),
    sent,
    acked,
    unanswered,
    errors,
    deliveries,
    missing,
    reordered,
    repeats,
    resyncs,
    lateness,
    caughtUp: tally.caughtUp,
    truncated: tally.truncated,
  };
}

/** Those who are lost and come back, and the others meanwhile. */
class Herd {
  readonly #options: HerdOptions;
  readonly #lost = new Set<Client>();
  readonly #backAt = new Map<Client, number>();
  readonly #absent = new Set<Client>();
  readonly #failures: Record<string, number> = {};
  readonly #othersLost: Record<string, number> = {};
  readonly #others: (Histogram | undefined)[] = [];
  /** Whose connection is on the gateway that is killed. */
  #victims = 0;
  #isOver = false;

  constructor(options: HerdOptions) {
    this.#options = options;
  }

  watch(client: Client, isVictim: boolean): void {
    if (isVictim) this.#victims += 1;
    client.watcher = isVictim
      ? { lost: () => this.#lose(client) }
      : { lost: (_client, reason) => this.#loseOther(client, reason), delivered: (sentAt) => this.#heard(sentAt) };
  }

  /** Until all have noticed that they lost their gateway, and nobody is away. */
  async untilBack(longestMs: number): Promise<void> {
    const deadline = Date.now() + longestMs;
    const areSomeAway = (): boolean => this.#lost.size < this.#victims || this.#absent.size > 0;
    while (areSomeAway() && Date.now() < deadline) await sleep(POLL_MS);
  }

  /** Nobody comes back any more, and nothing is counted. */
  end(): void {
    this.#isOver = true;
    for (const client of this.#options.clients) client.watcher = undefined;
  }

  result(): Pick<HerdCounts, 'lost' | 'absent' | 'back' | 'failures' | 'othersLost' | 'others'> {
    const back = new Histogram();
    for (const at of this.#backAt.values()) back.add(at - this.#options.killAt);
    return {
      lost: this.#lost.size,
      absent: this.#lost.size - this.#backAt.size,
      back: back.counts(),
      failures: this.#failures,
      othersLost: this.#othersLost,
      others: Array.from(this.#others, (times) => times?.counts() ?? []),
    };
  }

  #lose(client: Client): void {
    this.#lost.add(client);
    this.#backAt.delete(client);
    void this.#comeBack(client).then((isBack) => isBack && this.#backAt.set(client, nowMicros()));
  }

  #loseOther(client: Client, reason: string): void {
    this.#othersLost[reason] = (this.#othersLost[reason] ?? 0) + 1;
    void this.#comeBack(client);
  }

  async #comeBack(client: Client): Promise<boolean> {
    this.#absent.add(client);
    const isBack = await comeBack(client, {
      backOff: this.#options.backOff ?? BACK_OFF,
      isOver: () => this.#isOver,
      failed: (reason) => (this.#failures[reason] = (this.#failures[reason] ?? 0) + 1),
    });
    this.#absent.delete(client);
    return isBack;
  }

  #heard(sentAt: number): void {
    const now = nowMicros();
    const { killAt } = this.#options;
    if (now < killAt) return;
    const second = Math.max(0, Math.floor((sentAt - killAt) / 1e6));
    const times = (this.#others[second] ??= new Histogram());
    times.add(now - sentAt);
  }
}

/** What the server has in each room, asked by one of those who hear it. */
async function learnHeads(clients: readonly Client[]): Promise<void> {
  const hearers = new Map(clients.filter(({ isHearing }) => isHearing).map((client) => [client.room, client]));
  await Promise.all(Array.from(hearers.values(), (client) => client.learnHead()));
}
