import type { Ack, Message } from '@parley/protocol';
import type { Change, Send } from '../checker/record.ts';
import type { Recorder } from './recorder.ts';

export interface OutboxOptions {
  name: string;
  recorder: Recorder;
  emit: (event: string, payload: unknown, onAnswer: (answer: Ack<unknown>) => void) => void;
  isOpen: () => boolean;
  onAcked: (message: Message, latencyMs: number) => void;
  onChanged: (message: Message) => void;
  /** A change failed, and may have happened nevertheless: the stream left it out for its author. */
  onUnclear: (roomId: string) => void;
  /** A refusal that is none of the contract's invitations to try again. */
  onRefused: (what: string) => void;
}

interface Outgoing {
  roomId: string;
  clientMsgId: string;
  content: string;
  firstSentAt: number;
  tries: number;
  burst: number;
  timer?: NodeJS.Timeout | undefined;
}

export type ChangeRequest = { event: 'message:edit' | 'message:react'; roomId: string; seq: number; rest: object };

/** How long an answer to a send is waited for before it is repeated, ms. */
const ANSWER_MS = 5_000;
const RETRY_MS = 500;
const RETRIED = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']);

/** What a client has sent and has no answer to: repeated with the same `clientMsgId` until it has one. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, Outgoing>();
  #count = 0;
  #bursts = 0;
  #changing = 0;
  /** Sends that were answered with another error than those that invite a retry. */
  failed = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Messages and changes without an answer. */
  get size(): number {
    return this.#waiting.size + this.#changing;
  }

  /** Sends messages one after the other without waiting. @param isImpatient each of them twice */
  send(roomId: string, count: number, isImpatient: boolean): void {
    this.#bursts += 1;
    for (let sent = 0; sent < count; sent += 1) {
      const firstSentAt = Date.now();
      const outgoing: Outgoing = {
        roomId,
        clientMsgId: `${this.#options.name}-${(this.#count += 1)}`,
        content: `${firstSentAt} says ${this.#options.name}`,
        firstSentAt,
        tries: 0,
        burst: this.#bursts,
      };
      this.#waiting.set(outgoing.clientMsgId, outgoing);
      this.#try(outgoing);
      if (isImpatient) this.#try(outgoing);
    }
  }

  /** An edit or a reaction; given up when the connection ends, since it may have happened. */
  change({ event, roomId, seq, rest }: ChangeRequest): void {
    const { recorder, emit, isOpen, onChanged, onRefused, onUnclear } = this.#options;
    if (!isOpen()) return;
    const noted: Change = recorder.changed({ roomId, seq, isFirst: true });
    this.#changing += 1;
    emit(event, { roomId, seq, ...rest }, (answer) => {
      this.#changing = Math.max(0, this.#changing - 1);
      if (answer.ok) {
        const { message } = answer.data as { message: Message };
        noted.answer = { ok: true, rev: message.rev };
        onChanged(message);
      } else {
        noted.answer = { ok: false, code: answer.error.code };
        if (RETRIED.has(answer.error.code)) onUnclear(roomId);
        if (answer.error.code !== 'UNAVAILABLE') onRefused(`${event}: ${answer.error.code}`);
      }
    });
  }

  /** The connection is gone, and with it all answers. */
  pause(): void {
    this.#changing = 0;
    for (const outgoing of this.#waiting.values()) clearTimeout(outgoing.timer);
  }

  /** There is a connection: all that waits is sent, in its order. */
  resume(): void {
    for (const outgoing of this.#waiting.values()) this.#try(outgoing);
  }

  stop(): void {
    this.pause();
  }

  /** What has no answer is given up. */
  giveUp(): void {
    for (const { roomId, clientMsgId, tries } of this.#waiting.values()) {
      this.#options.recorder.failed(roomId, clientMsgId, `no answer after ${tries} tries`);
    }
    this.pause();
    this.#waiting.clear();
  }

  #try(outgoing: Outgoing): void {
    const { recorder, emit, isOpen, onAcked, onRefused } = this.#options;
    clearTimeout(outgoing.timer);
    if (!isOpen() || !this.#waiting.has(outgoing.clientMsgId)) return;
    const { roomId, clientMsgId, content, burst } = outgoing;
    const noted: Send = recorder.sent({ roomId, clientMsgId, burst, isFirst: outgoing.tries === 0 });
    outgoing.tries += 1;
    outgoing.timer = setTimeout(() => this.#try(outgoing), ANSWER_MS);
    emit('message:send', { roomId, clientMsgId, content }, (answer) => {
      if (answer.ok) {
        const { message, duplicate } = answer.data as { message: Message; duplicate: boolean };
        noted.answer = { ok: true, seq: message.seq, id: message.id, duplicate };
        if (!this.#waiting.delete(clientMsgId)) return;
        clearTimeout(outgoing.timer);
        onAcked(message, Date.now() - outgoing.firstSentAt);
        return;
      }
      const { code, retryAfterMs = RETRY_MS } = answer.error;
      noted.answer = { ok: false, code };
      if (code === 'INTERNAL' || !RETRIED.has(code)) onRefused(`message:send: ${code}`);
      if (!this.#waiting.has(clientMsgId)) return;
      clearTimeout(outgoing.timer);
      if (RETRIED.has(code)) {
        outgoing.timer = setTimeout(() => this.#try(outgoing), retryAfterMs);
        return;
      }
      this.failed += 1;
      this.#waiting.delete(clientMsgId);
      recorder.failed(roomId, clientMsgId, code);
    });
  }
}
