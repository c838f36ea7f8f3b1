import { WebSocket, type MessageEvent } from 'k6/websockets';

/** The answer to a request. */
export type Answer<T = unknown> = { ok: true; data: T } | { ok: false; error: { code: string; retryAfterMs?: number } };

/** When a packet was read from the socket, by the system's clock in milliseconds. Reading it costs k6 a call by reflection. */
export interface Arrival {
  readonly timestamp: number;
}

/** Is told what comes over a connection. */
export interface ConnectionListener {
  /** The CONNECT was accepted. */
  connected(): void;
  /** Takes the packet `42["message:new",...]`. Read once a connection, and called for most of what comes. */
  readonly hear: (packet: string, arrival: Arrival) => void;
  /** Any other event as its packet `42["name",...]`. */
  event(packet: string): void;
  /** Once, whoever ended it. */
  closed(reason: string): void;
}

const MESSAGE = '42["message:new"';

/** Socket.IO over Engine.IO over a WebSocket of k6, by hand. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #listener: ConnectionListener;
  readonly #answers = new Map<number, (answer: string) => void>();
  #lastAck = 0;
  #isClosed = false;

  constructor(url: string, token: string, listener: ConnectionListener) {
    this.#listener = listener;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`, null, {
      // One series for all sockets: k6 keeps each in memory.
      tags: { name: 'socket' },
    });
    this.#socket = socket;
    const { hear } = listener;
    socket.onmessage = (event) => {
      // Not after the end: k6 keeps back what comes to a socket that was closed.
      const data = (event as MessageEvent).data as string;
      if (data.startsWith(MESSAGE)) hear(data, event as MessageEvent);
      else this.#receive(data, token);
    };
    socket.onerror = (event) => this.end(`error: ${String((event as unknown as { error?: unknown }).error)}`);
    socket.onclose = () => this.end('closed by the server');
  }

  /** @param answered never called when the connection ends before */
  request<T>(event: string, input: object, answered: (answer: Answer<T>) => void): void {
    this.ask(event, input, (answer) => answered(JSON.parse(answer) as Answer<T>));
  }

  /** A request whose answer is given as its JSON: what is large costs k6 less to search than to parse. */
  ask(event: string, input: object, answered: (answer: string) => void): void {
    this.#lastAck += 1;
    this.#answers.set(this.#lastAck, answered);
    this.#socket.send(`42${this.#lastAck}["${event}",${JSON.stringify(input)}]`);
  }

  /** Without goodbye. */
  end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#answers.clear();
    this.#socket.close();
    this.#listener.closed(reason);
  }

  #receive(data: string, token: string): void {
    if (this.#isClosed) return;
    if (data.startsWith('42')) this.#listener.event(data);
    else if (data.startsWith('43')) this.#answered(data);
    else if (data === '2') this.#socket.send('3');
    else if (data.startsWith('0')) this.#socket.send(`40${JSON.stringify({ token, echo: true })}`);
    else if (data.startsWith('40')) this.#listener.connected();
    else if (data.startsWith('44')) this.end(`refused: ${/"code":"(\w+)"/.exec(data)?.[1] ?? data}`);
    else if (data.startsWith('41')) this.end('disconnected by the server');
  }

  #answered(packet: string): void {
    const bracket = packet.indexOf('[');
    const ack = Number(packet.slice(2, bracket));
    const answered = this.#answers.get(ack);
    this.#answers.delete(ack);
    answered?.(packet.slice(bracket + 1, -1));
  }
}
