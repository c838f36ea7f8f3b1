import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface RequestMetrics {
  /** @param event a known event, or `unknown`: clients must not make up label values */
  count(event: string, code: string): void;
}

/** What an operator watches. Each gateway has a registry of its own, so that tests can run several in one process. */
export class Metrics implements RequestMetrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: 'parley_requests_total',
    help: 'Socket requests by event and result code',
    labelNames: ['event', 'code'],
    registers: [this.registry],
  });
  readonly httpRequests = new Histogram({
    name: 'parley_http_request_seconds',
    help: 'REST requests by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });
  readonly appended = new Counter({
    name: 'parley_messages_appended_total',
    help: 'Messages committed by this gateway',
    registers: [this.registry],
  });
  readonly appendBatch = new Histogram({
    name: 'parley_append_batch_size',
    help: 'Messages in one commit',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers: [this.registry],
  });
  readonly appendSeconds = new Histogram({
    name: 'parley_append_seconds',
    help: 'Time of one commit',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });
  readonly refusedTransports = new Counter({
    name: 'parley_transports_refused_total',
    help: 'Transports refused before they opened, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly presenceTold = new Counter({
    name: 'parley_presence_told_total',
    help: 'Sockets told of people who came, went or changed their status, by event',
    labelNames: ['event'],
    registers: [this.registry],
  });
  readonly sessionsEnded = new Counter({
    name: 'parley_sessions_ended_total',
    help: 'Sessions ended by the server, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly rateLimited = new Counter({
    name: 'parley_rate_limited_total',
    help: 'Requests refused by a rate, and typing that was not passed on; by the limit and by who decided',
    labelNames: ['limit', 'where'],
    registers: [this.registry],
  });
  readonly muted = new Counter({
    name: 'parley_muted_total',
    help: 'Mutes by MUTE_AFTER that this gateway has seen begin',
    registers: [this.registry],
  });
  readonly codesSent = new Counter({
    name: 'parley_codes_sent_total',
    help: 'One-time codes given to the sender, by result: sent, failed, dropped',
    labelNames: ['result'],
    registers: [this.registry],
  });

  readonly cleaned = new Counter({
    name: 'parley_cleaned_total',
    help: 'Leftovers that this gateway removed, by kind',
    labelNames: ['what'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  count(event: string, code: string): void {
    this.#requests.inc({ event, code });
  }

  /** A figure that is read when Prometheus asks for it. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.registry], collect: () => gauge.set(read()) });
  }
}
