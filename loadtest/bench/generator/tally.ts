import { Histogram, type Counts } from '../../measure/histogram.ts';
import { nowMicros } from './clock.ts';

/** What a generator saw in one step, as it travels to the parent. Times are histograms of microseconds. */
export interface StepCounts {
  sent: number;
  /** Sends that were acknowledged. */
  acked: number;
  /** Sends that were lost with their connection. */
  unanswered: number;
  /** Sends that were refused, by code. */
  errors: Record<string, number>;
  /** Messages heard, all of them, and those heard while messages were being sent. */
  deliveries: number;
  deliveriesInTime: number;
  /** How many there should be: one for each hearer of the room of each acknowledged send. */
  expected: number;
  missing: number;
  reordered: number;
  repeats: number;
  /** Streams that the server said it can't continue. */
  resyncs: number;
  /** Connections that ended, by reason. */
  closed: Record<string, number>;
  /** From the send to the delivery, without the first part of the step. */
  latency: Counts;
  /** From the send to its answer, without the first part of the step. */
  ack: Counts;
  /** How long after its time a message was sent: the generator's own lag. */
  lateness: Counts;
  /** Share of the time in which the event loop of the generator was busy, 0 to 1. */
  utilization: number;
  /** The 99th percentile of the event loop's delay, in milliseconds. */
  loopDelayMs: number;
  cpuSeconds: number;
  /** How long messages were sent. */
  seconds: number;
}

/** Counts what all clients of a generator see in one step. */
export class Tally {
  sent = 0;
  acked = 0;
  unanswered = 0;
  expected = 0;
  deliveries = 0;
  deliveriesInTime = 0;
  missing = 0;
  reordered = 0;
  repeats = 0;
  resyncs = 0;
  /** Messages that syncs brought, and syncs that could not bring all. */
  caughtUp = 0;
  truncated = 0;
  readonly errors: Record<string, number> = {};
  readonly closings: Record<string, number> = {};
  readonly latency = new Histogram();
  readonly ack = new Histogram();
  readonly lateness = new Histogram();
  /** Times count for what was sent from then on, in microseconds. */
  measureFrom = 0;
  /** While messages are being sent. */
  isSending = false;

  delivery(sentAt: number): void {
    this.deliveries += 1;
    if (this.isSending) this.deliveriesInTime += 1;
    if (sentAt >= this.measureFrom) this.latency.add(nowMicros() - sentAt);
  }

  /** @param code of the refusal, undefined for a success */
  answer(sentAt: number, code: string | undefined, hearers: number): void {
    if (code !== undefined) {
      this.errors[code] = (this.errors[code] ?? 0) + 1;
      return;
    }
    this.acked += 1;
    this.expected += hearers;
    if (sentAt >= this.measureFrom) this.ack.add(nowMicros() - sentAt);
  }

  /** Any other event, as `["name",...]`. */
  event(text: string): void {
    if (text.startsWith('["room:resync"')) this.resyncs += 1;
  }

  closed(reason: string): void {
    this.closings[reason] = (this.closings[reason] ?? 0) + 1;
  }

  /** Counts from zero. */
  reset(): void {
    this.sent = this.acked = this.unanswered = this.expected = this.deliveries = this.deliveriesInTime = 0;
    this.missing = this.reordered = this.repeats = this.resyncs = this.caughtUp = this.truncated = 0;
    for (const counts of [this.errors, this.closings]) for (const name of Object.keys(counts)) delete counts[name];
    for (const histogram of [this.latency, this.ack, this.lateness]) histogram.clear();
  }

  result(): Omit<StepCounts, 'utilization' | 'loopDelayMs' | 'cpuSeconds' | 'seconds'> {
    return {
      sent: this.sent,
      acked: this.acked,
      unanswered: this.unanswered,
      errors: { ...this.errors },
      deliveries: this.deliveries,
      deliveriesInTime: this.deliveriesInTime,
      expected: this.expected,
      missing: this.missing,
      reordered: this.reordered,
      repeats: this.repeats,
      resyncs: this.resyncs,
      closed: { ...this.closings },
      latency: this.latency.counts(),
      ack: this.ack.counts(),
      lateness: this.lateness.counts(),
    };
  }
}
