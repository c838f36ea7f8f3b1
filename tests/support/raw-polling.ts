import { deferred } from '@parley/test-support';
import { http, type HttpAnswer } from './http.ts';
import { PacketLog, SOCKETS, type Transport } from './packets.ts';

/** Between packets in one body (Engine.IO 4). */
export const SEPARATOR = '\x1e';

export class HandshakeRefused extends Error {
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    super(`the handshake was answered with ${answer.status} ${answer.text}`);
    this.answer = answer;
  }
}

/** A long-polling transport made of plain requests. */
export class RawPolling implements Transport {
  readonly closed: Promise<void>;
  readonly sid: string;
  /** How many packets each answer to a poll carried. */
  readonly answerSizes: number[] = [];
  readonly #log = new PacketLog();
  readonly #gateway: { url: string };
  readonly #closed = deferred();
  #reads = true;
  /** Packets go one request after another: two at once are a protocol error. */
  #sending: Promise<unknown> = Promise.resolve();

  private constructor(gateway: { url: string }, sid: string) {
    this.#gateway = gateway;
    this.sid = sid;
    this.closed = this.#closed.promise;
  }

  /** @throws HandshakeRefused */
  static async open(gateway: { url: string }, headers: Record<string, string> = {}): Promise<RawPolling> {
    const answer = await http(gateway, `${SOCKETS}&transport=polling`, { headers });
    if (answer.status !== 200) throw new HandshakeRefused(answer);
    const { sid } = JSON.parse(answer.text.slice(1)) as { sid: string };
    const polling = new RawPolling(gateway, sid);
    polling.#log.push(answer.text);
    void polling.#poll();
    return polling;
  }

  get packets(): readonly string[] {
    return this.#log.items;
  }

  send(packet: string): void {
    this.#sending = this.#sending.then(() => this.post(packet)).catch(() => {});
  }

  /** A body as it is, and the answer to it. */
  post(body: string): Promise<HttpAnswer> {
    return http(this.#gateway, this.#path, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
  }

  packet(beginning: string): Promise<string> {
    return this.#log.find(beginning);
  }

  /** No more polls: what the server has to say piles up there. One that is under way is still answered. */
  stopReading(): void {
    this.#reads = false;
  }

  /** Polls again. */
  read(): void {
    this.#reads = true;
    void this.#poll();
  }

  close(): void {
    this.send('1');
    this.#end();
  }

  get #path(): string {
    return `${SOCKETS}&transport=polling&sid=${encodeURIComponent(this.sid)}`;
  }

  async #poll(): Promise<void> {
    while (this.#reads) {
      const answer = await http(this.#gateway, this.#path, { timeoutMs: 120_000 }).catch(() => undefined);
      if (answer?.status !== 200) break;
      const packets = answer.text.split(SEPARATOR);
      this.answerSizes.push(packets.length);
      for (const packet of packets) this.#log.push(packet);
      if (packets.includes('2')) this.send('3');
      if (packets.includes('1')) break;
    }
    if (this.#reads) this.#end();
  }

  #end(): void {
    this.#closed.resolve();
    this.#log.end();
  }
}
