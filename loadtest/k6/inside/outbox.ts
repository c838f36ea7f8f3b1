import { setTimeout } from 'k6/timers';
import type { Answer } from './connection.ts';
import type { Recorder } from './metrics.ts';

export interface Send {
  roomId: string;
  content: string;
  clientMsgId: string;
}

/** Transmits a send on the present connection, if there is one. */
export type Transmit = (send: Send, answered: (answer: Answer) => void) => void;

/** What a client has sent and has no answer to: it is sent again with the same `clientMsgId`, which makes it one message. */
export class Outbox {
  readonly #unanswered = new Map<string, Send>();
  readonly #recorder: Recorder;
  readonly #transmit: Transmit;

  constructor(recorder: Recorder, transmit: Transmit) {
    this.#recorder = recorder;
    this.#transmit = transmit;
  }

  get size(): number {
    return this.#unanswered.size;
  }

  add(send: Send): void {
    this.#unanswered.set(send.clientMsgId, send);
    this.#recorder.count('sends');
    this.#try(send, Date.now());
  }

  /** After a new connection. */
  sendAgain(): void {
    for (const send of this.#unanswered.values()) this.#retry(send);
  }

  #retry(send: Send): void {
    if (!this.#unanswered.has(send.clientMsgId)) return;
    this.#recorder.count('resent');
    this.#try(send, undefined);
  }

  /** @param sentAt of the first try, whose answer is timed */
  #try(send: Send, sentAt: number | undefined): void {
    this.#transmit(send, (answer) => {
      if (answer.ok) {
        // The answer to a try and to its repetition are one message.
        if (this.#unanswered.delete(send.clientMsgId)) this.#recorder.count('acked');
        if (sentAt !== undefined) this.#recorder.time('ack', Date.now() - sentAt);
        return;
      }
      this.#recorder.error(answer.error.code);
      const { retryAfterMs } = answer.error;
      if (retryAfterMs === undefined) this.#unanswered.delete(send.clientMsgId);
      else setTimeout(() => this.#retry(send), retryAfterMs);
    });
  }
}
