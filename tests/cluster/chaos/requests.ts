import type { Ack } from '@parley/protocol';
import type { Socket } from 'socket.io-client';

const RETRY_MS = 300;
/** How long an answer is waited for before the question is put again, ms. */
const ANSWER_MS = 8_000;

/** What a client asks over its connection of the moment: an answer that comes over another one is none. */
export class Requests {
  readonly #socket: Socket;
  readonly #onRefused: (what: string) => void;
  #connection = 0;

  constructor(socket: Socket, onRefused: (what: string) => void) {
    this.#socket = socket;
    this.#onRefused = onRefused;
  }

  /** Everything that was asked before is void. */
  begin(): void {
    this.#connection += 1;
  }

  emit(event: string, payload: unknown, onAnswer: (answer: Ack<unknown>) => void): void {
    const connection = this.#connection;
    this.#socket.emit(event, payload, (answer: Ack<unknown>) => {
      if (connection === this.#connection) onAnswer(answer);
    });
  }

  /** Asks until it is answered, as long as the connection lives. */
  ask<Data>(event: string, payload: unknown, onData: (data: Data) => void): void {
    const connection = this.#connection;
    let isOver = false;
    const again = (): void => {
      if (!isOver && this.#socket.connected && connection === this.#connection) this.ask(event, payload, onData);
      isOver = true;
    };
    const timer = setTimeout(again, ANSWER_MS);
    this.emit(event, payload, (answer) => {
      if (isOver) return;
      clearTimeout(timer);
      if (answer.ok) {
        isOver = true;
        onData(answer.data as Data);
        return;
      }
      if (answer.error.code !== 'UNAVAILABLE') this.#onRefused(`${event}: ${answer.error.code}`);
      setTimeout(again, answer.error.retryAfterMs ?? RETRY_MS);
    });
  }
}
