import { Wire, type WireListener } from './wire.ts';

const [TWO, THREE, FOUR, ZERO, M, N] = ['2', '3', '4', '0', 'm', 'n'].map((char) => char.charCodeAt(0));

export interface ConnectionOptions {
  url: URL;
  /** With the query. */
  path: string;
  token: string;
}

/** Is told what comes over a connection. */
export interface ConnectionListener {
  /** The CONNECT was accepted. @param gateway the name with which the session id begins */
  connected(gateway: string): void;
  /** A `message:new` lies between two places of the bytes, which are valid only until this returns. */
  heard(bytes: Buffer, from: number, to: number): void;
  /** Any other event, as `["name",...]`. */
  event(text: string): void;
  /** The answer to a request, as `[{"ok":...}]`. */
  answered(ack: number, answer: string): void;
  /** Once, whoever ended it. Before the CONNECT was accepted the reason says so. */
  closed(reason: string): void;
}

/** Socket.IO over Engine.IO over a wire, by hand. */
export class Connection implements WireListener {
  readonly #token: string;
  readonly #listener: ConnectionListener;
  readonly #wire: Wire;
  #gateway: string | undefined;
  #isConnected = false;
  #refusal: string | undefined;

  constructor({ url, path, token }: ConnectionOptions, listener: ConnectionListener) {
    this.#token = token;
    this.#listener = listener;
    this.#wire = new Wire(url, path, this);
  }

  request(event: string, ack: number, input: object): void {
    this.#wire.send(`42${ack}["${event}",${JSON.stringify(input)}]`);
  }

  /** Without goodbye. */
  end(reason: string): void {
    this.#refusal ??= reason;
    this.#wire.destroy();
  }

  packet(bytes: Buffer, from: number, to: number): void {
    const [type, kind] = [bytes[from], bytes[from + 1]];
    if (type === TWO && to - from === 1) this.#wire.send('3');
    else if (type === ZERO) this.#connect(bytes.toString('utf8', from, to));
    else if (type !== FOUR) return;
    // 42["message:new",...
    else if (kind === TWO && bytes[from + 4] === M && bytes[from + 12] === N) this.#listener.heard(bytes, from, to);
    else if (kind === TWO) this.#listener.event(bytes.toString('utf8', from + 2, to));
    else if (kind === THREE) this.#answered(bytes.toString('utf8', from + 2, to));
    else if (kind === ZERO) this.#connected();
    else if (kind === FOUR) this.end(`refused with ${codeIn(bytes.toString('utf8', from + 2, to))}`);
  }

  closed(reason: string): void {
    const awaits = this.#isConnected || this.#gateway === undefined ? '' : ', waiting for the CONNECT';
    this.#listener.closed(`${this.#refusal ?? reason}${awaits}`);
  }

  #connect(session: string): void {
    this.#gateway = /"sid":"([^."]+)/.exec(session)?.[1] ?? '';
    this.#wire.send(`40${JSON.stringify({ token: this.#token, echo: true })}`);
  }

  #connected(): void {
    this.#isConnected = true;
    this.#listener.connected(this.#gateway ?? '');
  }

  #answered(packet: string): void {
    const bracket = packet.indexOf('[');
    this.#listener.answered(Number(packet.slice(0, bracket)), packet.slice(bracket));
  }
}

/** Of a refusal. */
export function codeIn(text: string): string {
  return /"(?:code|message)":"(\w+)"/.exec(text)?.[1] ?? 'UNKNOWN';
}
