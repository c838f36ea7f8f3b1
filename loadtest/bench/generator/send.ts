import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { nowMicros } from './clock.ts';
import type { Tally } from './tally.ts';

/** A generator that lags behind its own clock gives up the rest so long after its end. */
const LATEST_MICROS = 500_000;

export interface SendOptions {
  clients: readonly Client[];
  tally: Tally;
  sendsPerSecond: number;
  seconds: number;
  /** Length of a message's content. */
  bytes: number;
}

/** Sends at a steady rate, one client after the other. @returns how long it did, in seconds */
export async function sendSteadily({ clients, tally, sendsPerSecond, seconds, bytes }: SendOptions): Promise<number> {
  const rotation = new Rotation(clients);
  const begin = nowMicros();
  const end = begin + seconds * 1e6;
  const microsPerSend = 1e6 / sendsPerSecond;
  for (let due = begin; due < end && nowMicros() < end + LATEST_MICROS;) {
    // What is due by now; what becomes due meanwhile waits until others had their turn.
    for (const now = nowMicros(); due <= now && due < end; due += microsPerSend) {
      const client = rotation.next();
      if (client === undefined) return (nowMicros() - begin) / 1e6;
      tally.lateness.add(nowMicros() - due);
      tally.sent += 1;
      client.send(bytes);
    }
    await sleep(1);
  }
  return (nowMicros() - begin) / 1e6;
}

/** One client after the other, without those that are not connected. */
class Rotation {
  readonly #clients: readonly Client[];
  #next = 0;

  constructor(clients: readonly Client[]) {
    this.#clients = clients;
  }

  /** Undefined when nobody is connected. */
  next(): Client | undefined {
    for (let tries = 0; tries < this.#clients.length; tries += 1) {
      const client = this.#clients[this.#next];
      this.#next = (this.#next + 1) % this.#clients.length;
      if (client?.isHearing === true) return client;
    }
    return undefined;
  }
}
