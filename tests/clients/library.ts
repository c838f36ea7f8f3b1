/** How a client gets to its connection. */
export const MODES = ['websocket', 'polling', 'upgrade'] as const;
export type Mode = (typeof MODES)[number];

/** Something that a client told its application. */
export interface Heard {
  /** An event of the server's, or `connect`, `disconnect`, `connect_error`. */
  event: string;
  /** Its first argument; the reason of a disconnect, `{message, data}` of a connect_error. */
  payload: unknown;
}

export interface OpenOptions {
  url: string;
  auth: Record<string, unknown>;
  mode: Mode;
}

/** A Socket.IO client library in the hands of a test. */
export interface Library {
  readonly name: string;
  /** Whether handlers run in the order in which the events came. Where they do not, an application orders by `seq`. */
  readonly keepsOrder: boolean;
  /** Begins to connect. How that ends is heard. */
  open(options: OpenOptions): LibraryClient;
}

export interface LibraryClient {
  /** All so far, in the order in which the handlers ran. */
  readonly heard: readonly Heard[];
  /** Sends with an acknowledgement and resolves with it. */
  request(event: string, payload: unknown): Promise<unknown>;
  connection(): Promise<Connection>;
  /** Ends it; it does not come back. */
  close(): Promise<void>;
}

export interface Connection {
  transport: string;
  /** The session id of Engine.IO. */
  sid: string;
}

/** Soon, since tests wait for it, and several times in the 1 s in which a client that has to stay away is watched. */
export const RECONNECT_WITHIN_MS = 300;
